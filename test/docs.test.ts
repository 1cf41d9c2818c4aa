import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { streamConfigs } from "../daemon/nats/streams.ts";
import { SETTING_KEYS } from "../daemon/setting-keys.ts";
import { settingsSchema } from "../shared/settings.ts";
import { createNames, EGOS_ROOT, EVENTS_ROOT, type Names } from "../shared/subjects.ts";
import { generatedPart, markdownTable, pathsIn, readDocument } from "./support/document.ts";
import { ROOT, readSources } from "./support/sources.ts";

const DOCUMENTS = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "DECISIONS.md",
  "SECURITY.md",
];
const settings = settingsSchema.parse({});

function section(markdown: string, title: string): string {
  const [, body = ""] = markdown.split(new RegExp(`^## ${title}$`, "m"));
  return body.split(/^## /m)[0] ?? "";
}

describe("extension/README.md", () => {
  test("the table holds every setting of the extension with its default and meaning", () => {
    const json = (name: string) => JSON.parse(readFileSync(join(ROOT, name), "utf8"));
    const texts = json("package.nls.json") as Record<string, string>;
    const groups = json("package.json").contributes.configuration as readonly {
      readonly properties: Record<string, { default: unknown } & Record<string, string>>;
    }[];
    const rows = groups
      .flatMap(({ properties }) => Object.entries(properties))
      .map(([key, property]) => {
        const text = property["markdownDescription"] ?? property["description"] ?? "";
        // VS Code's links to other settings are plain names elsewhere.
        const meaning = (texts[text.slice(1, -1)] ?? "").replace(/`#([\w.]+)#`/g, "`$1`");
        return [`\`${key}\``, `\`${JSON.stringify(property.default)}\``, meaning];
      });
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(([, , meaning]) => meaning === "")).toEqual([]);
    const wanted = markdownTable(["Setting", "Default", "Meaning"], rows);
    expect(generatedPart("extension/README.md", "extension-settings", wanted)).toBe(wanted);
  });
});

describe("README.md", () => {
  test("the settings table holds every setting with its variable, default and meaning", () => {
    const valueAt = (path: readonly string[]): unknown =>
      path.reduce<unknown>((node, part) => (node as Record<string, unknown>)[part], settings);
    const rows = SETTING_KEYS.map(({ key, path, variable, aliases, description }) => {
      const value = valueAt(path);
      const shown = typeof value === "string" ? value : JSON.stringify(value);
      const variables = [variable, ...aliases].map((name) => `\`${name}\``).join(", ");
      return [`\`${key}\``, variables, shown === undefined ? "" : `\`${shown}\``, description];
    });
    const wanted = markdownTable(["Setting", "Variable", "Default", "Meaning"], rows);
    expect(generatedPart("README.md", "settings", wanted)).toBe(wanted);
  });

  test("every setting says what it means", () => {
    expect(
      SETTING_KEYS.filter(({ description }) => description === "").map(({ key }) => key),
    ).toEqual([]);
  });

  test("every command that it shows is one of the command line", () => {
    const program = ["program-daemon.ts", "program-tasks.ts", "program.ts"]
      .map((file) => readFileSync(join(ROOT, "daemon/cli", file), "utf8"))
      .join("\n");
    const known = new Set(
      [...program.matchAll(/\.command\("([a-z]+)"\)/g)].map(([, name = ""]) => name),
    );
    const shown = DOCUMENTS.flatMap((name) =>
      [...readDocument(name).matchAll(/(?:^\$ |`)msgsys (?:--\S+ \S+ )*([a-z]+)/gm)].map(
        ([, verb = ""]) => verb,
      ),
    );
    expect(known.size).toBeGreaterThan(20);
    expect(shown.length).toBeGreaterThan(15);
    expect(shown.filter((verb) => !known.has(verb))).toEqual([]);
  });
});

describe("ARCHITECTURE.md", () => {
  const architecture = readDocument("ARCHITECTURE.md");

  test("the table of streams is what the daemon declares", () => {
    const days = (ns: unknown): string => (Number(ns) > 0 ? `${Number(ns) / 86_400e9} days` : "–");
    const rows = streamConfigs(createNames(), settings).map((config) => [
      `\`${config.name}\``,
      config.subjects.map((subject) => `\`${subject}\``).join(", "),
      String(config["retention"]),
      days(config["max_age"]),
      config["max_msgs_per_subject"] === undefined ? "–" : String(config["max_msgs_per_subject"]),
    ]);
    const wanted = markdownTable(
      ["Stream", "Subjects", "Retention", "Longest stay", "Kept per subject"],
      rows,
    );
    expect(generatedPart("ARCHITECTURE.md", "streams", wanted)).toBe(wanted);
  });

  test("the table of subjects names every subject that the code can build", () => {
    const wanted = markdownTable(["Subject", "What"], subjectRows(createNames()));
    expect(generatedPart("ARCHITECTURE.md", "subjects", wanted)).toBe(wanted);
  });

  test("the code map has an entry for every folder of code and for every file at the daemon's root", () => {
    const map = section(architecture, "Code map");
    const places = new Set(pathsIn(map));
    const wanted = readSources("shared", "daemon").map(({ path }) => {
      const parts = path.split("/");
      return parts.length <= 2 ? path : `${parts.slice(0, -1).join("/")}/`;
    });
    expect(places.size).toBeGreaterThan(30);
    expect([...new Set(wanted)].filter((place) => !places.has(place))).toEqual([]);
  });

  test("each walk names at least three files, in the order of the calls", () => {
    const walks = section(architecture, "Walks").split(/^### /m).slice(1);
    expect(walks.length).toBeGreaterThanOrEqual(6);
    for (const walk of walks)
      expect(pathsIn(walk).length, walk.split("\n")[0]).toBeGreaterThanOrEqual(3);
  });
});

describe("every document", () => {
  test.each(DOCUMENTS)("%s names only files that exist", (name) => {
    const missing = pathsIn(readDocument(name)).filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });

  test.each(DOCUMENTS)("%s links only to files and headings that exist", (name) => {
    const text = readDocument(name);
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.flatMap(([link, file = "", heading]) => {
      if (file !== "" && !existsSync(join(ROOT, file))) return [link];
      const target = file === "" ? text : readDocument(file);
      return heading === undefined || anchorsOf(target).has(heading) ? [] : [link];
    });
    expect(broken).toEqual([]);
  });

  test("the decisions are numbered without a gap and none is longer than 15 lines", () => {
    const parts = readDocument("DECISIONS.md").split(/^## /m).slice(1);
    expect(parts.map((part) => Number.parseInt(part, 10))).toEqual(parts.map((_, n) => n + 1));
    expect(
      parts
        .filter((part) => part.trim().split("\n").length > 16)
        .map((part) => part.split("\n")[0]),
    ).toEqual([]);
  });

  test("every package that the product needs has its reasons in DECISIONS.md", () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const text = readDocument("DECISIONS.md");
    expect(Object.keys(dependencies).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test("the scripts that package.json offers name files that exist", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    const files = Object.values(scripts).flatMap(
      (script) => script.match(/\bnode (\S+)/)?.[1] ?? [],
    );
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });

  test("the folders of what is to come say what will live there", () => {
    for (const folder of ["extension", "webview"])
      expect(readdirSync(join(ROOT, folder))).toContain("README.md");
  });
});

function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) => title);
  return new Set(
    headings.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

/** One row per builder of `Names`; a new builder without a row fails to compile here. */
function subjectRows(names: Names): string[][] {
  type Builders =
    | "task"
    | "state"
    | "fact"
    | "enqueued"
    | "bell"
    | "dead"
    | "due"
    | "event"
    | "api"
    | "heartbeat"
    | "hello"
    | "order"
    | "result";
  type Others = "prefix" | "stream" | "kv" | "consumer" | "apiAll" | `parse${string}`;
  const rows: Record<Exclude<keyof Names, Others>, [string, string]> &
    Record<Builders, [string, string]> = {
    task: [
      names.task("<level>" as "*", "<queue>", "<taskId>"),
      "a waiting task with its input; the level is the priority 0–10",
    ],
    state: [
      names.state("<queue>", "<taskId>"),
      "the journal of a task: one message per transition, each a compare-and-swap",
    ],
    fact: [
      names.fact("<queue>", "<taskId>"),
      "every journal record, repeated by the server for whoever listens; nothing is stored",
    ],
    enqueued: [
      names.enqueued,
      "what was enqueued, told by the daemon a few times a second at most; nothing is stored",
    ],
    bell: [
      names.bell("<level>" as "*", "<queue>"),
      "the doorbell: headers of every task message, repeated by the server",
    ],
    dead: [
      names.dead("<queue>", "<taskId>"),
      "a dead letter: the input, and why with which errors in a header",
    ],
    due: [
      names.due("<queue>", "<taskId>"),
      "the input of a task that waits for its time (run-at, retry)",
    ],
    event: [
      names.event("<kind>"),
      "system facts beside the journal, for example the progress of a task",
    ],
    api: [
      names.api("<user>", "<verb>", "<level>" as unknown as number),
      "a control request; the level stands in it for verbs that set one",
    ],
    result: [
      names.result("<taskId>", "<generation>" as unknown as number),
      "a result over 256 KiB, which the journal names by its size",
    ],
    heartbeat: [names.heartbeat("<workerId>"), "a worker's heartbeat, from a thread of its own"],
    hello: [names.hello("<workerId>"), "a worker's arrival with what it can run, and its goodbye"],
    order: [
      names.order("<workerId>"),
      "the daemon's orders to a worker: stop a task, claim it, let it go; say hello",
    ],
  };
  return [
    ...Object.values(rows).map(([subject, what]) => [`\`${subject}\``, what]),
    [
      `\`${EVENTS_ROOT}.>\``,
      "domain events of tasks' authors, for example `events.cls.sync.completed`",
    ],
    [`\`${EGOS_ROOT}.>\``, "kept for EGOS; nothing publishes there yet"],
  ];
}
