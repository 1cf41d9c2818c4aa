import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  CAPABILITIES,
  COMMANDS,
  CONTAINER,
  CONTEXT_KEYS,
  DASHBOARD,
  REMEDY_COMMANDS,
  SETTINGS,
  VIEWS,
  WALKTHROUGH,
} from "../../../extension/contributions.ts";

interface Placed {
  readonly command: string;
  readonly when?: string;
  readonly group?: string;
}

interface Manifest {
  readonly activationEvents: readonly string[];
  readonly icon: string;
  readonly capabilities: {
    readonly untrustedWorkspaces: {
      readonly supported: unknown;
      readonly restrictedConfigurations: readonly string[];
    };
  };
  readonly contributes: {
    readonly viewsContainers: {
      readonly activitybar: readonly { readonly id: string; readonly icon: string }[];
    };
    readonly views: Readonly<Record<string, readonly { readonly id: string }[]>>;
    readonly viewsWelcome: readonly { readonly view: string; readonly when: string }[];
    readonly commands: readonly {
      readonly command: string;
      readonly title: string;
      readonly category: string;
    }[];
    readonly menus: Readonly<Record<string, readonly Placed[]>>;
    readonly keybindings: readonly Placed[];
    readonly configuration: readonly {
      readonly properties: Readonly<
        Record<string, { readonly default: unknown; readonly scope: string }>
      >;
    }[];
    readonly walkthroughs: readonly {
      readonly id: string;
      readonly steps: readonly {
        readonly media: { readonly svg: string };
        readonly completionEvents: readonly string[];
      }[];
    }[];
  };
}

const root = new URL("../../../", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), "utf8");
const text = read("package.json");
const manifest = JSON.parse(text) as Manifest;
const english = JSON.parse(read("package.nls.json")) as Record<string, string>;
const portuguese = JSON.parse(read("package.nls.pt-br.json")) as Record<string, string>;
const { contributes } = manifest;
const settings = Object.assign(
  {},
  ...contributes.configuration.map(({ properties }) => properties),
) as Record<string, { default: unknown; scope: string }>;
const placed = [...Object.values(contributes.menus).flat(), ...contributes.keybindings];
const whens = [...placed, ...contributes.viewsWelcome].flatMap(({ when }) => when ?? []);
const commandIds = Object.keys(COMMANDS);

describe("commands", () => {
  test("the commands of the code and those of the manifest are the same", () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual(commandIds.sort());
  });

  test("every command has the category msg_sys and a title that is translated", () => {
    for (const { command, title, category } of contributes.commands) {
      expect(category).toBe("msg_sys");
      expect(title).toBe(`%command.${command.slice("msgSys.".length)}%`);
    }
  });

  test("the palette hides exactly the commands that need a node of a tree", () => {
    const hidden = contributes.menus["commandPalette"]!.filter(({ when }) => when === "false");
    const ofMenus = Object.entries(COMMANDS).filter(([, place]) => place === "menu");
    expect(hidden.map(({ command }) => command).sort()).toEqual(ofMenus.map(([id]) => id).sort());
  });

  test("a command that the palette hides stands in a menu", () => {
    const shown = new Set(
      Object.entries(contributes.menus)
        .filter(([menu]) => menu !== "commandPalette")
        .flatMap(([, items]) => items.map(({ command }) => command)),
    );
    const ofMenus = Object.entries(COMMANDS).filter(([, place]) => place === "menu");
    expect(ofMenus.map(([id]) => id).filter((id) => !shown.has(id))).toEqual([]);
  });

  test("menus, keys, links and remedies name only commands that are there", () => {
    const linked = [...Object.values(english), ...Object.values(portuguese)].flatMap((value) =>
      [...value.matchAll(/\(command:([\w.]+)/g)].map(([, id]) => id!),
    );
    const named = [
      ...placed.map(({ command }) => command),
      ...linked,
      ...Object.values(REMEDY_COMMANDS),
    ];
    expect(linked.length).toBeGreaterThan(20);
    expect(
      [...new Set(named)].filter((id) => !(id in COMMANDS) && id !== "workbench.trust.manage"),
    ).toEqual([]);
  });

  test("a key is bound only while something of ours has the focus", () => {
    for (const { when } of contributes.keybindings)
      expect(when).toMatch(
        /^(?:activeWebviewPanelId == 'msgSys\.dashboard'|focusedView == msgSys\.)/,
      );
  });
});

describe("views", () => {
  test("the views of the code and those of the manifest are the same", () => {
    expect(contributes.viewsContainers.activitybar.map(({ id }) => id)).toEqual([CONTAINER]);
    expect(contributes.views[CONTAINER]!.map(({ id }) => id).sort()).toEqual(
      Object.values(VIEWS).sort(),
    );
  });

  test("every tree is welcomed whatever state the connection is in", () => {
    const kinds = [
      "idle",
      "starting",
      "connecting",
      "reconnecting",
      "offline",
      "stopped",
      "connected",
    ];
    for (const view of [VIEWS.queues, VIEWS.pipelines, VIEWS.deadLetters]) {
      const said = contributes.viewsWelcome
        .filter((welcome) => welcome.view === view)
        .map(({ when }) => when)
        .join(" || ");
      expect(kinds.filter((kind) => !said.includes(`msgSys.connection == ${kind}`))).toEqual([]);
      expect(said).toContain("!isWorkspaceTrusted");
    }
  });

  test("the extension is woken only by its views and commands, and by a panel that VS Code restores", () => {
    expect(manifest.activationEvents).toEqual([`onWebviewPanel:${DASHBOARD}`]);
  });
});

describe("when clauses", () => {
  test("they ask only for context keys that the code sets", () => {
    const keys = whens.flatMap((when) =>
      [...when.matchAll(/(?<![/^.\w'])(msgSys\.\w+)/g)].map(([, key]) => key!),
    );
    const known = [...Object.keys(CONTEXT_KEYS), ...Object.values(VIEWS)];
    expect(keys.length).toBeGreaterThan(20);
    expect([...new Set(keys)].filter((key) => !known.includes(key))).toEqual([]);
  });

  test("every context key is asked for, but the role, which other extensions may use", () => {
    const all = [...whens, JSON.stringify(contributes.walkthroughs)].join(" ");
    expect(Object.keys(CONTEXT_KEYS).filter((key) => !all.includes(key))).toEqual(["msgSys.role"]);
  });

  test("they ask only for words that a node can have", () => {
    const words = whens.flatMap((when) =>
      [...when.matchAll(/viewItem =~ \/\\b\(?([\w|]+)\)?\\b\//g)].flatMap(([, w]) => w!.split("|")),
    );
    expect(words.length).toBeGreaterThan(20);
    expect(words.filter((word) => !CAPABILITIES.some((known) => known === word))).toEqual([]);
  });

  test("a task offers one inline act: escalate while it waits, cancel while it runs", () => {
    const inline = contributes.menus["view/item/context"]!.filter(
      ({ group }) => group === "inline",
    );
    expect(inline.map(({ command }) => command)).toEqual([
      "msgSys.task.escalate",
      "msgSys.task.cancel",
      "msgSys.deadLetter.redrive",
      "msgSys.run.again",
      "msgSys.pipeline.run",
    ]);
  });
});

describe("settings", () => {
  test("keys and defaults of the code and of the manifest are the same", () => {
    expect(
      Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, value.default])),
    ).toEqual(SETTINGS);
  });

  test("a workspace that is not trusted decides neither what is started nor where it connects", () => {
    const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    expect(supported).toBe("limited");
    const risky = Object.keys(settings).filter((key) =>
      /\.(?:connection\.|daemon\.(?:data|config|node|nats))/.test(key),
    );
    expect([...restrictedConfigurations].sort()).toEqual(
      risky.filter((key) => key !== "msgSys.notifications.connection").sort(),
    );
  });

  test("programs and addresses are never the choice of a workspace", () => {
    for (const key of ["connection.profiles", "daemon.nodePath", "daemon.natsServerPath"])
      expect(settings[`msgSys.${key}`]?.scope).toBe("machine");
  });
});

describe("texts", () => {
  const used = [...text.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key!);

  test("every text of the manifest is there in English and in Brazilian Portuguese, and none is left over", () => {
    expect([...new Set(used)].sort()).toEqual(Object.keys(english).sort());
    expect(Object.keys(portuguese).sort()).toEqual(Object.keys(english).sort());
    expect(Object.values(portuguese).filter((value) => value.trim() === "")).toEqual([]);
  });

  test("a translation links the same commands and settings", () => {
    const links = (value: string): string[] =>
      [...value.matchAll(/command:[\w.]+|`#[\w.]+#`/g)].map(([link]) => link);
    for (const [key, value] of Object.entries(english))
      expect([key, links(portuguese[key]!)]).toEqual([key, links(value)]);
  });
});

describe("files", () => {
  test("pictures that the manifest names are there", () => {
    const named = [
      manifest.icon,
      ...contributes.viewsContainers.activitybar.map(({ icon }) => icon),
      ...contributes.walkthroughs.flatMap(({ steps }) => steps.map(({ media }) => media.svg)),
    ];
    expect(named.filter((name) => !existsSync(new URL(name, root)))).toEqual([]);
  });

  test("the walkthrough has four steps, each of which can be completed", () => {
    expect(contributes.walkthroughs.map(({ id }) => id)).toEqual([WALKTHROUGH]);
    const [walkthrough] = contributes.walkthroughs;
    expect(walkthrough!.steps).toHaveLength(4);
    for (const { completionEvents } of walkthrough!.steps)
      expect(completionEvents.length).toBeGreaterThan(0);
  });
});
