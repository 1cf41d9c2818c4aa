import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ConnectedClient, connect } from "../../../daemon/sdk.ts";
import type { RunView } from "../../../shared/control.ts";
import { type CliEnd, cli, cliHere } from "../../support/cli.ts";
import { SMALL_ROOT } from "../../support/cls-phases.ts";
import { FULL_REPORT, writeClsRoot } from "../../support/cls-root.ts";
import { tempDir } from "../../support/temp-dir.ts";

const BROKEN = {
  "syntax error": {
    text: 'import { defineConfig } from "msg-sys";\n\nexport default defineConfig({ tasks: [ );\n',
    line: 3,
    what: "Expression expected",
  },
  "throwing one": {
    text: 'import { z } from "msg-sys";\n\n\nconst missing = z.nothing.here;\nexport default missing;\n',
    line: 4,
    what: "Cannot read properties of undefined",
  },
  "one without a default export": {
    text: "export const tasks = [];\n",
    line: 1,
    what: "must export defineConfig",
  },
} as const;

/** Starts with `msgsys up --detach` in a workspace whose configuration is this text; both go with the test. */
async function upWith(text: string): Promise<{ up: CliEnd; dataDir: string; file: string }> {
  const cwd = tempDir();
  const dataDir = tempDir();
  const file = join(cwd, "msgsys.config.ts");
  writeFileSync(file, text);
  const env = { MSGSYS_WORKERS_POOLS: '{"only":{"queues":["cls"],"slots":2}}' };
  const up = await cli(["--data", dataDir, "--json", "up", "--detach"], { cwd, env });
  onTestFinished(async () => void (await cliHere(["--data", dataDir, "down"])));
  return { up, dataDir, file };
}

test.each(Object.entries(BROKEN))(
  "with a configuration that is a %s the built-in tasks run, and `up` and `status` name file and line",
  async (_, { text, line, what }) => {
    const { up, dataDir, file } = await upWith(text);
    expect([up.code, JSON.parse(up.out)]).toMatchObject([0, { state: "ready" }]);
    expect(up.err).toContain(`${file}:${line}: `);
    expect(up.err).toContain(what);
    const client = await connect({ dataDir });
    onTestFinished(() => client.close());
    const { daemon, workers } = await client.status();
    expect(daemon.state).toBe("degraded");
    expect(daemon.degraded.join("\n")).toContain(`${file}:${line}: `);
    expect(workers.map(({ error }) => error)).toEqual([
      expect.stringContaining(`${file}:${line}:`),
    ]);
    const known = (await client.definitions()).tasks.map(({ name }) => name);
    expect(known).toContain("cls.sync");
    const root = join(dataDir, "root");
    await writeClsRoot(root, SMALL_ROOT);
    const task = await client.enqueue("cls.sync", { root });
    expect(await client.waitResult(task)).toBeDefined();
  },
);

test.each([
  ["two tasks of one name", "tasks: [task('a.b'), task('a.b')]", /5: .*another task is named a\.b/],
  ["a task that is none", "tasks: [{ name: 'a.b' }]", /5: .*not made by defineTask/],
  ["a task with a built-in name", "tasks: [task('cls.sync')]", /1: cls\.sync is the name of a bui/],
])(
  "with %s every trouble is told once, with the author's file and line",
  async (_, tasks, words) => {
    const text = `import { defineConfig, defineTask, z } from "msg-sys";

const task = (name: string) =>
  defineTask({ name, input: z.object({}) }, async () => 1);
export default defineConfig({ ${tasks} } as never);
`;
    const { up, file } = await upWith(text);
    const told = up.err.split("\n").filter((line) => line.startsWith("Degraded:"));
    expect(told).toEqual([expect.stringContaining(`${file}:`)]);
    expect(told[0]).toMatch(words);
  },
);

test("a broken configuration is told by doctor too", async () => {
  const cwd = tempDir();
  const { text, line } = BROKEN["throwing one"];
  writeFileSync(join(cwd, "msgsys.config.ts"), text);
  const end = await cliHere(["--data", tempDir(), "doctor"], { cwd });
  expect(end.code).not.toBe(0);
  expect(end.out + end.err).toContain(`msgsys.config.ts:${line}`);
});

describe("a CLS run", () => {
  let base: string;
  let dataDir: string;
  let client: ConnectedClient;
  const runs: Record<string, Promise<CliEnd>> = {};

  /** Runs that fail try again after some seconds, so all of them are under way together. */
  beforeAll(async () => {
    base = mkdtempSync(join(tmpdir(), "msgsys-cls-"));
    dataDir = join(base, "data");
    const env = { MSGSYS_WORKERS_POOLS: '{"only":{"queues":["cls"],"slots":8}}' };
    const up = await cli(["--data", dataDir, "up", "--detach"], { env, cwd: base });
    if (up.code !== 0) throw new Error(up.err);
    client = await connect({ dataDir });
    start("missing root", "/no/such/folder");
    mkdirSync(join(base, "empty"));
    start("empty root", join(base, "empty"));
    const malformed = join(base, "malformed");
    await writeClsRoot(malformed, SMALL_ROOT);
    writeFileSync(join(malformed, "reports", "0031", FULL_REPORT), "this is no workbook");
    start("malformed report", malformed);
    const noRefs = join(base, "no-refs");
    await writeClsRoot(noRefs, SMALL_ROOT);
    rmSync(join(noRefs, "daily_files"), { recursive: true });
    start("no daily files", noRefs);
    const badDaily = join(base, "bad-daily");
    await writeClsRoot(badDaily, SMALL_ROOT);
    writeFileSync(join(badDaily, "daily_files", "daily.xlsx"), "PK this is no workbook either");
    start("malformed daily file", badDaily);
  });

  function start(name: string, root: string): void {
    const out = join(base, `out-${name.replaceAll(" ", "-")}`);
    runs[name] = cliHere([
      "--data",
      dataDir,
      "--json",
      "run",
      "cls_all",
      "--root",
      root,
      "--out",
      out,
      "--wait",
      "--timeout",
      "110s",
    ]);
  }

  afterAll(async () => {
    await client?.close();
    await cliHere(["--data", dataDir, "down"]);
    rmSync(base, { recursive: true, force: true });
  });

  test.each([
    ["missing root", "sync", /\/no\/such\/folder/],
    ["empty root", "sync", /reports\/0031/],
    ["no daily files", "integrate", /daily_files/],
    ["malformed daily file", "integrate", /daily\.xlsx/],
  ])(
    "with a %s fails in %s with exit code 1 and says what is wrong",
    async (name, phase, words) => {
      const end = await runs[name]!;
      expect(end.code).toBe(1);
      const result = JSON.parse(end.out) as { runId: string; status: string; errors: object };
      expect(result.status).toBe("failed");
      expect(result.errors).toMatchObject({ [phase]: expect.stringMatching(words) });
      expect(end.err).toMatch(words);
      const run: RunView = await client.getRun(result.runId);
      const failed = run.phases.find((one) => one.phase === phase);
      expect(failed).toMatchObject({ status: "dead" });
      const task = await client.get(failed?.taskId ?? "");
      expect(task.error).toMatch(words);
      const later = run.phases.slice(run.phases.findIndex((one) => one.phase === phase) + 1);
      expect(later.map(({ status }) => status)).toEqual(later.map(() => "pending"));
    },
  );

  test("with a malformed report goes on without it, and the run and its phase name the file", async () => {
    const end = await runs["malformed report"]!;
    expect(end.code).toBe(0);
    const result = JSON.parse(end.out) as {
      status: string;
      warnings: number;
      phases: { sync: { files: object[] } };
    };
    expect(result.status).toBe("completed");
    expect(result.warnings).toBeGreaterThan(0);
    expect(result.phases.sync.files).toContainEqual(
      expect.objectContaining({
        name: FULL_REPORT,
        status: "failed",
        reason: expect.stringContaining("cannot be read: it is no workbook"),
      }),
    );
    const { runId } = JSON.parse(end.out) as { runId: string };
    const shown = await cliHere(["--data", dataDir, "show", runId]);
    expect(shown.out).toContain(`Warning: sync: ${FULL_REPORT} failed: `);
  });

  test("without a folder to write to, or with a phase that is not there, is refused before it starts", async () => {
    const flags = ["--data", dataDir, "--json"];
    for (const argv of [
      ["run", "cls_all", "--root", base],
      ["run", "cls_all", "--root", base, "--phase", "polish"],
      ["run", "cls_all", "--out", base],
      ["run", "cls_all", "--root", base, "--out", base, "--param", "dryrun=true"],
    ]) {
      const end = await cliHere([...flags, ...argv]);
      expect([end.code, JSON.parse(end.out)], argv.join(" ")).toMatchObject([
        2,
        { error: { code: expect.stringMatching(/bad-usage|input-invalid/) } },
      ]);
    }
  });
});
