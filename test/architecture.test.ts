import { describe, expect, test } from "vitest";
import { importsOf, lineAt, readSources, type Source, withoutComments } from "./support/sources.ts";

const shared = readSources("shared");
const daemon = readSources("daemon");
const extension = readSources("extension");
const webview = readSources("webview");
const product = [...shared, ...daemon, ...extension, ...webview];
const tests = readSources("test");

/** A path is inside `place` when it is that file or lies below that folder. */
function isIn(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}/`);
}

/** What a folder (or file) of the daemon may import of the daemon, besides itself and the tools below. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  "daemon/db": [],
  "daemon/lifecycle": [],
  "daemon/nats": ["daemon/lifecycle"],
  "daemon/audit": ["daemon/db", "daemon/nats"],
  "daemon/events": ["daemon/nats"],
  "daemon/metrics": ["daemon/audit", "daemon/nats"],
  // The orders that the daemon gives a worker are types of the wire; nothing else of the worker is known here.
  "daemon/queue": ["daemon/audit", "daemon/nats", "daemon/worker/protocol.ts"],
  "daemon/pipelines": ["daemon/audit", "daemon/queue", "daemon/sdk/define-task.ts"],
  "daemon/worker": [
    "daemon/lifecycle",
    "daemon/nats",
    "daemon/node-process.ts",
    "daemon/pipelines",
    "daemon/queue",
  ],
  "daemon/control": [
    "daemon/audit",
    "daemon/nats",
    "daemon/pipelines",
    "daemon/queue",
    "daemon/settings.ts",
    "daemon/users.ts",
    "daemon/user-rules.ts",
    "daemon/event-loop-gauge.ts",
    // The supervisor of the worker processes, whose state the status shows.
    "daemon/worker",
  ],
  // Inside the daemon, but a client like any other: its users' requests go the way of all requests.
  "daemon/dashboard": ["daemon/audit", "daemon/control", "daemon/nats", "daemon/user-rules.ts"],
  "daemon/sdk": [
    "daemon/lifecycle",
    "daemon/nats",
    "daemon/settings.ts",
    "daemon/user-rules.ts",
    // The worker that a process of the author's own runs: loaded when it is asked for.
    "daemon/worker/start-worker.ts",
  ],
  // Looks from outside: it asks the daemon as every client does, and never reaches into its queue, audit or control.
  "daemon/cli": [
    "daemon/lifecycle",
    "daemon/nats",
    "daemon/node-process.ts",
    "daemon/pipelines",
    "daemon/sdk",
    "daemon/settings.ts",
    "daemon/worker/worker-process.ts",
  ],
};

/** Small files that depend on nothing but each other and `shared`: every layer may use them. */
const TOOLS = [
  "daemon/clock.ts",
  "daemon/collect-when-idle.ts",
  "daemon/define.ts",
  "daemon/entry.ts",
  "daemon/log.ts",
  "daemon/log-sink.ts",
  "daemon/log-stdout.ts",
  "daemon/make-private-dirs.ts",
  "daemon/outcome-errors.ts",
  "daemon/resolve-sdk.ts",
  "daemon/version.ts",
  "daemon/write-atomically.ts",
  "package.json",
];

/** Files of `shared` that load nothing but each other: the webview may have them in its bundle. */
const CONSTANTS = [
  "shared/connection.ts",
  "shared/priority.ts",
  "shared/roles.ts",
  "shared/task.ts",
  "shared/time.ts",
  "shared/view/messages.ts",
];

function offences(sources: readonly Source[], allowed: (path: string, to: string) => boolean) {
  return sources.flatMap(({ path, imports }) =>
    imports.filter((to) => !allowed(path, to)).map((to) => `${path} imports ${to}`),
  );
}

function isOurs(name: string): boolean {
  return /^(shared|daemon|extension|webview|test)\//.test(name) || name === "package.json";
}

describe("layers", () => {
  test("the reader of imports sees every form of import, and none in a comment", () => {
    const text = [
      'import type { A } from "../b/a.ts";',
      'export * from "./c.ts";',
      'import "node:fs";',
      'const d = await import("../d.ts");',
      '// import "../comment.ts";',
    ].join("\n");
    expect(importsOf("x/y/z.ts", text)).toEqual(["x/b/a.ts", "x/y/c.ts", "node:fs", "x/d.ts"]);
  });

  test("enough files are seen for the rules below to mean anything", () => {
    expect(shared.length).toBeGreaterThan(12);
    expect(daemon.length).toBeGreaterThan(200);
    expect(extension.length).toBeGreaterThan(50);
    expect(webview.length).toBeGreaterThan(70);
    expect(tests.length).toBeGreaterThan(40);
    expect(product.flatMap(({ imports }) => imports).length).toBeGreaterThan(800);
  });

  test("shared imports nothing of ours, nothing of Node and nothing of VS Code", () => {
    const packages = ["zod", "@nats-io/nats-core", "@nats-io/nuid"];
    expect(offences(shared, (_, to) => isIn(to, "shared") || packages.includes(to))).toEqual([]);
  });

  test("shared outside bus knows no NATS library, and only a view's host knows the client", () => {
    const outside = shared.filter(({ path }) => !isIn(path, "shared/bus"));
    expect(offences(outside, (_, to) => !to.startsWith("@nats-io/"))).toEqual([]);
    const below = shared.filter(({ path }) => !isIn(path, "shared/view"));
    expect(offences(below, (_, to) => !isIn(to, "shared/view"))).toEqual([]);
    const rest = outside.filter(({ path }) => !isIn(path, "shared/view"));
    expect(offences(rest, (_, to) => !isIn(to, "shared/bus"))).toEqual([]);
  });

  test("the extension imports shared and itself, and of packages only VS Code's types and the NATS client", () => {
    const packages = /^(?:vscode|node:.+|@nats-io\/(?:nats-core|nkeys|transport-node))$/;
    const fine = (_: string, to: string): boolean =>
      isIn(to, "extension") || isIn(to, "shared") || to === "package.json" || packages.test(to);
    expect(offences(extension, fine)).toEqual([]);
  });

  test("what the extension decides and how it reaches the daemon run without VS Code", () => {
    const pure = extension.filter(
      ({ path }) =>
        isIn(path, "extension/state") ||
        isIn(path, "extension/daemon") ||
        /-(?:nodes|look|words|policy)\.ts$/.test(path),
    );
    expect(pure.length).toBeGreaterThan(20);
    const loads = pure.map(({ path, text, loads }) => ({ path, text, loads, imports: loads }));
    expect(offences(loads, (_, to) => to !== "vscode")).toEqual([]);
  });

  test("the webview imports itself, its libraries, and of shared only types and files of constants", () => {
    const packages =
      /^(?:preact(?:\/hooks)?|@preact\/signals|uplot(?:\/.+)?|@vscode-elements\/elements\/.+)$/;
    const fine = (_: string, to: string): boolean =>
      isIn(to, "webview") || isIn(to, "shared") || packages.test(to);
    expect(offences(webview, fine)).toEqual([]);
    const loaded = [...webview, ...shared.filter(({ path }) => CONSTANTS.includes(path))].map(
      ({ path, text, loads }) => ({ path, text, loads, imports: loads }),
    );
    expect(
      offences(loaded, (_, to) => CONSTANTS.includes(to) || (!isIn(to, "shared") && to !== "zod")),
    ).toEqual([]);
  });

  test("the daemon imports shared and itself, never the extension, the webview or a test", () => {
    const fine = (_: string, to: string): boolean =>
      !isOurs(to) || isIn(to, "daemon") || isIn(to, "shared") || to === "package.json";
    expect(offences(daemon, fine)).toEqual([]);
  });

  test.each(Object.entries(LAYERS))("%s imports only the layers below it", (layer, below) => {
    const files = daemon.filter(({ path }) => isIn(path, layer));
    expect(files.length).toBeGreaterThan(0);
    const fine = (_: string, to: string): boolean =>
      !isIn(to, "daemon") || [layer, ...below, ...TOOLS].some((place) => isIn(to, place));
    expect(offences(files, fine)).toEqual([]);
  });

  test("every folder of the daemon has its place in the layers", () => {
    const folders = new Set(
      daemon
        .map(({ path }) => path.split("/").slice(0, 2).join("/"))
        .filter((p) => !p.endsWith(".ts")),
    );
    expect([...folders].sort()).toEqual(Object.keys(LAYERS).sort());
  });

  test("the tools import nothing but tools and shared", () => {
    const files = daemon.filter(({ path }) => TOOLS.includes(path));
    const fine = (_: string, to: string): boolean => !isIn(to, "daemon") || TOOLS.includes(to);
    expect(offences(files, fine)).toEqual([]);
  });

  test("nobody imports the command line, and only the daemon's entry imports its composition", () => {
    const others = [...shared, ...daemon].filter(({ path }) => !isIn(path, "daemon/cli"));
    expect(offences(others, (_, to) => !isIn(to, "daemon/cli"))).toEqual([]);
    expect(
      offences(product, (from, to) => to !== "daemon/run.ts" || from === "daemon/main.ts"),
    ).toEqual([]);
  });

  test("handlers' processes never touch SQLite of the audit: workers know neither audit nor database", () => {
    const workers = daemon.filter(({ path }) => isIn(path, "daemon/worker"));
    expect(
      offences(workers, (_, to) => !isIn(to, "daemon/audit") && !isIn(to, "daemon/db")),
    ).toEqual([]);
  });
});

describe("names", () => {
  /** The one file of names, the one that declares streams, and the table of what each user may say and hear. */
  const HOME = ["shared/subjects.ts", "daemon/nats/streams.ts", "daemon/nats/permissions.ts"];
  const elsewhere = product.filter(({ path }) => !HOME.includes(path));
  const found = (pattern: RegExp): string[] =>
    elsewhere.flatMap(({ path, text }) =>
      [...withoutComments(text).matchAll(pattern)].map(
        (hit) => `${path}:${lineAt(text, hit.index)} ${hit[0]}`,
      ),
    );

  test("no file but the one of names spells a header of ours or JetStream's compare-and-swap", () => {
    expect(found(/"(?:Ms-[A-Z]|Nats-Msg-Id|Nats-Expected-)[^"]*"/g)).toEqual([]);
  });

  test("no file spells a stream or bucket name", () => {
    expect(found(/["'`](?:MS|KV)_[A-Z]+/g)).toEqual([]);
  });

  test("no file builds a subject from the prefix by hand", () => {
    expect(
      found(/[pP]refix\}\.(?:task|state|fact|bell|dead|due|event|api|worker)\b[^`]*/g),
    ).toEqual([]);
  });

  test("no file outside the commands' help spells the roots of users' events", () => {
    const roots = found(/["'`](?:events|egos)\.[a-z*>][^"'`]*/g);
    expect(roots.filter((hit) => !hit.startsWith("daemon/cli/"))).toEqual([]);
  });
});

describe("habits", () => {
  test("an error that is dropped says why, with the word Ignored", () => {
    const silent = product.flatMap(({ path, text }) =>
      [...text.matchAll(/\bcatch \{|\.catch\(\(\) => (?:\{\s*\}|undefined|null|false|\[\])\)/g)]
        .filter(
          (hit) =>
            !text.slice(startOfLines(text, hit.index, 3), hit.index + 300).includes("Ignored"),
        )
        .map((hit) => `${path}:${lineAt(text, hit.index)}`),
    );
    expect(silent).toEqual([]);
  });

  test("no test has the title of another one in its group of files", () => {
    const titles = new Map<string, string>();
    const doubles: string[] = [];
    for (const { path, text } of tests.filter((source) => source.path.endsWith(".test.ts")))
      for (const [, , title = ""] of text.matchAll(
        /\b(?:test|it)(?:\.\w+)?\(\s*(["`])((?:(?!\1).)+)\1/g,
      )) {
        const first = titles.get(title);
        if (first !== undefined) doubles.push(`"${title}" in ${first} and ${path}`);
        titles.set(title, path);
      }
    expect(titles.size).toBeGreaterThan(300);
    expect(doubles).toEqual([]);
  });

  /** Files that are longer than they should be, each with the reason. */
  const LONG: Readonly<Record<string, string>> = {
    "daemon/run.ts": "the composition root: every part in the order of its start",
    "shared/control.ts": "the table of control verbs with what each takes and answers",
    "shared/errors.ts": "the table of every failure",
  };

  test("no product file has more than 350 lines, but for the ones that are named with a reason", () => {
    const lines = new Map(product.map(({ path, text }) => [path, text.split("\n").length - 1]));
    const long = [...lines].filter(([path, count]) => count > 350 && !(path in LONG));
    expect(long).toEqual([]);
    // Well below the limit an exception has served its time.
    expect(Object.keys(LONG).filter((path) => (lines.get(path) ?? 0) < 300)).toEqual([]);
  });

  test("nothing is left for later: no TODO, no FIXME, no suppressed compiler error", () => {
    const left = [...product, ...tests].flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:TO(?:)DO|FIX(?:)ME)\b|@ts-(?:ignore|nocheck)/g)].map(
        (hit) => `${path}:${lineAt(text, hit.index)} ${hit[0]}`,
      ),
    );
    expect(left.filter((hit) => !hit.startsWith("test/architecture.test.ts"))).toEqual([]);
  });
});

/** The index at which the line begins that stands `lines` above the one at `index`. */
function startOfLines(text: string, index: number, lines: number): number {
  let at = index;
  for (let n = 0; n <= lines && at > 0; n++) at = text.lastIndexOf("\n", at - 1);
  return Math.max(0, at);
}
