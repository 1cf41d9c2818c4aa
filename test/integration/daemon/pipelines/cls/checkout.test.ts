import { spawn, spawnSync } from "node:child_process";
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  runCheckoutPhase,
  servedByCheckout,
} from "../../../../../daemon/pipelines/cls/checkout.ts";
import { runClassify } from "../../../../../daemon/pipelines/cls/classify.ts";
import { runExport } from "../../../../../daemon/pipelines/cls/export.ts";
import { runIntegrate } from "../../../../../daemon/pipelines/cls/integrate.ts";
import {
  CLS_PHASES,
  type ClsContext,
  type ClsParams,
  clsParams,
} from "../../../../../daemon/pipelines/cls/params.ts";
import { until } from "../../../../support/until.ts";

const FIXTURE = fileURLToPath(new URL("../../../../fixtures/cls-checkout", import.meta.url));
const SHIM = fileURLToPath(
  new URL("../../../../../daemon/pipelines/cls/checkout-shim.py", import.meta.url),
);
const hasPython = spawnSync("python3", ["--version"]).status === 0;
if (!hasPython) console.warn("SKIPPED: the checkout tests need python3 on PATH.");

interface Logged {
  readonly level: string;
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

describe.skipIf(!hasPython)("a Python checkout", () => {
  let folder: string;
  let params: ClsParams;
  let logs: Logged[];
  let beats: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "cls-checkout-"));
    await cp(FIXTURE, folder, { recursive: true });
    await mkdir(join(folder, "state"));
    params = clsParams.parse({
      root: folder,
      checkout: folder,
      checkoutPhases: ["sync", "classify"],
    });
    logs = [];
    beats = [];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const context = (signal: AbortSignal = new AbortController().signal): ClsContext => ({
    runId: "run-1",
    dataDir: folder,
    signal,
    progress: ({ what }) => beats.push(what),
    log: (level, event, data) => logs.push({ level, event, data }),
  });
  const lines = (event: string): unknown[] =>
    logs.filter((log) => log.event === event).map((log) => log.data?.["line"]);
  const started = (): Promise<string[]> =>
    until(
      async () =>
        (await readdir(join(folder, "state"))).filter((name) => name.startsWith("child.")),
      (names) => names.length > 0,
    );
  const childPid = async (name: string): Promise<number> =>
    Number(
      await until(
        () => readFile(join(folder, "state", name), "utf8"),
        (text) => text !== "",
      ),
    );

  test("serves the phases that the parameters name, and no others", () => {
    expect(servedByCheckout(params, "sync")).toBe(true);
    expect(servedByCheckout(params, "export")).toBe(false);
    expect(servedByCheckout({ ...params, checkout: undefined }, "sync")).toBe(false);
  });

  test("takes the place of a phase that the parameters give it", async () => {
    const served = { ...params, checkoutPhases: [...CLS_PHASES] };
    await expect(runIntegrate(served, context())).rejects.toThrow(/row 7 has no price/);
    await expect(runExport(served, context())).resolves.toMatchObject({ rowsIn: 5 });
    await mkdir(join(folder, "state", "go"));
    await expect(runClassify(served, context())).resolves.toMatchObject({ phase: "classify" });
  });

  test("gives its counts, its warnings and its log", async () => {
    const result = await runCheckoutPhase("sync", params, context());
    expect(result).toMatchObject({
      phase: "sync",
      rowsIn: 10,
      rowsNew: 4,
      rowsUpdated: 0,
      warnings: ["one file waits"],
      artifacts: [],
    });
    expect(lines("cls.checkout.line")).toContain("reads 3 files");
  });

  test("cannot break or forge the result by what it prints", async () => {
    const result = await runCheckoutPhase("sync", params, context());
    expect(result.rowsIn).toBe(10);
    expect(lines("cls.checkout.line")).toContain("printed without an end");
    expect(lines("cls.checkout.line")).toContainEqual(expect.stringContaining('"msg": "forged"'));
    expect(lines("cls.checkout.stderr")).toContain("from a child");
  });

  test("leaves no byte code behind in the user's folder", async () => {
    await runCheckoutPhase("sync", params, context());
    expect(await readdir(join(folder, "steps"))).toEqual(
      expect.not.arrayContaining(["__pycache__"]),
    );
  });

  test("counts names with underscores too", async () => {
    const result = await runCheckoutPhase("export", params, context());
    expect(result).toMatchObject({ rowsIn: 5, rowsNew: 5, warnings: [] });
  });

  test("runs in its folder with a bare environment and without input", async () => {
    process.env["MSGSYS_TEST_SECRET"] = "x";
    try {
      await runCheckoutPhase("export", params, context());
    } finally {
      delete process.env["MSGSYS_TEST_SECRET"];
    }
    const seen = JSON.parse(await readFile(join(folder, "state", "environment"), "utf8")) as {
      names: string[];
    };
    expect(seen).toMatchObject({ cwd: folder, stdin: "" });
    expect(seen.names).toContain("PATH");
    expect(seen.names).toContain("MSGSYS_CLS_ROOT");
    expect(seen.names).not.toContain("MSGSYS_TEST_SECRET");
  });

  test("that leaves with code 0 has succeeded and with another has failed", async () => {
    await writeFile(join(folder, "config.json"), '{"exit": 0}');
    await expect(runCheckoutPhase("export", params, context())).resolves.toMatchObject({
      warnings: ["export: the checkout reports no row counts"],
    });
    await writeFile(join(folder, "config.json"), '{"exit": 3}');
    await expect(runCheckoutPhase("export", params, context())).rejects.toMatchObject({
      code: "checkout-failed",
      message: expect.stringContaining("left with 3"),
    });
  });

  test("that crashes is told with its exception and its last 200 lines on stderr", async () => {
    const failure = await runCheckoutPhase("integrate", params, context()).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code: "checkout-failed",
      message: expect.stringContaining("ValueError: row 7 has no price"),
    });
    const kept = String((failure as { details: { stderr: string } }).details.stderr).split("\n");
    expect(kept).toHaveLength(200);
    expect(kept).toContain("stderr line 299");
    expect(kept).not.toContain("stderr line 50");
  });

  test("that lacks modules is not run, and all of them are named with the line that needs them", async () => {
    await appendFile(join(folder, "main.py"), "\nimport absent_one.part\n");
    await appendFile(join(folder, "steps", "names.py"), "\nfrom absent_two import x\n");
    await expect(runCheckoutPhase("sync", params, context())).rejects.toMatchObject({
      code: "checkout-failed",
      message: expect.stringMatching(
        /absent_one \(main\.py:\d+\), absent_two \(steps\/names\.py:\d+\)/,
      ),
      hint: expect.stringContaining("python3"),
    });
    expect(lines("cls.checkout.line")).not.toContain("reads 3 files");
  });

  test("is checked but not run in a dry run", async () => {
    const dry = { ...params, dryRun: true };
    const result = await runCheckoutPhase("integrate", dry, context());
    expect(result.warnings).toEqual([expect.stringContaining("dry run")]);
    await appendFile(join(folder, "main.py"), "\nimport absent_one\n");
    await expect(runCheckoutPhase("integrate", dry, context())).rejects.toThrow(/absent_one/);
  });

  test.each([
    ["has no main.py", async (at: string) => rm(join(at, "main.py")), /no main\.py/],
    ["does not parse", async (at: string) => writeFile(join(at, "main.py"), "def ("), /parsed/],
    [
      "lacks the entry points",
      async (at: string) => writeFile(join(at, "main.py"), "x = 1"),
      /load_config\(\), get_config_paths\(\), process_sync\(\)/,
    ],
    ["is no folder", async (at: string) => rm(at, { recursive: true }), /ENOENT/],
  ])("that %s is refused with that reason", async (_, spoil, what) => {
    await spoil(folder);
    await expect(runCheckoutPhase("sync", params, context())).rejects.toMatchObject({
      code: "checkout-failed",
      message: expect.stringMatching(what),
    });
  });

  test("needs a Python that can be started", async () => {
    await expect(
      runCheckoutPhase("sync", { ...params, python: "no-such-python" }, context()),
    ).rejects.toMatchObject({
      code: "checkout-failed",
      hint: expect.stringContaining("cls.python"),
    });
  });

  test("is ended with all it started when it is cancelled, and the signal's reason is thrown", async () => {
    const abort = new AbortController();
    const run = runCheckoutPhase("classify", params, context(abort.signal));
    const [name] = await started();
    const pid = await childPid(name ?? "");
    abort.abort(new Error("the user cancelled"));
    await expect(run).rejects.toThrow("the user cancelled");
    await until(() => isGone(pid));
    await until(() => isGone(Number(name?.split(".")[1])));
  });

  test("is ended with all it started when it takes too long, and tells progress until then", async () => {
    const run = runCheckoutPhase("classify", params, context(), 2_500);
    const [name] = await started();
    const pid = await childPid(name ?? "");
    await expect(run).rejects.toMatchObject({
      code: "checkout-failed",
      message: expect.stringContaining("2500 ms"),
    });
    await until(() => isGone(pid));
    expect(beats.length).toBeGreaterThanOrEqual(2);
  });

  test("leaves no process behind when it ends by itself", async () => {
    const run = runCheckoutPhase("classify", params, context());
    const [name] = await started();
    const pid = await childPid(name ?? "");
    await writeFile(join(folder, "state", "go"), "");
    await run;
    await until(() => isGone(pid));
  });

  test("runs once at a time: a second run waits and says so", async () => {
    const first = runCheckoutPhase("classify", params, context());
    await started();
    const second = runCheckoutPhase("sync", params, context());
    await until(() =>
      lines("cls.checkout.line").some((line) => String(line).startsWith("waits for another run")),
    );
    expect(lines("cls.checkout.line")).not.toContain("reads 3 files");
    await writeFile(join(folder, "state", "go"), "");
    await first;
    await expect(second).resolves.toMatchObject({ rowsIn: 10 });
  });

  test("goes down with whoever started it", async () => {
    const shim = spawn("python3", [SHIM, "run", "classify", folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    const [name] = await started();
    const pid = await childPid(name ?? "");
    // The end of the pipe is all that the death of the parent looks like from there.
    shim.stdin.end();
    await until(() => isGone(pid));
    await until(() => isGone(shim.pid ?? 0));
  });
});

/** A process that has ended but was not collected by its parent yet counts as gone. */
async function isGone(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    // Ignored: the error says that there is no such process.
    return true;
  }
  if (process.platform !== "linux") return false;
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status === "" || status.slice(status.lastIndexOf(")") + 2).startsWith("Z");
}
