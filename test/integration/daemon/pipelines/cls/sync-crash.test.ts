import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateClsRoot } from "../../../../../daemon/pipelines/cls/generate.ts";
import { incrementEvents, openClsStore } from "../../../../../daemon/pipelines/cls/store.ts";
import { lockHolderOf } from "../../../../../daemon/pipelines/cls/store-lock.ts";
import { until } from "../../../../support/until.ts";

const CHILD = fileURLToPath(new URL("../../../../support/cls-sync-child.ts", import.meta.url));
const KILLS = 8;

let work: string;
let root: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "cls-crash-"));
  root = join(work, "root");
  await generateClsRoot(root, {
    rows: 5000,
    increments: 4,
    rowsPerIncrement: 800,
    dailyRows: 1,
    withBroken: true,
  });
});
afterAll(() => rm(work, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly printed: string;
  readonly errors: string;
  readonly ms: number;
}

/** A sync in a process of its own. */
interface Sync {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What it told so far. */
  errors(): string;
}

/** Steps that it told, each as it began: a file is read, and committed. */
const stepsIn = (errors: string): number => errors.split(/: (?:reading|committing), /).length - 1;

function startSync(data: string, runId: string, onStep?: (steps: number) => void): Sync {
  const began = performance.now();
  const child = spawn(process.execPath, [CHILD, root, data, runId]);
  let printed = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
    onStep?.(stepsIn(errors));
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, printed, errors, ms: performance.now() - began });
    });
  });
  return { child, ended, errors: () => errors };
}

const syncProcess = (data: string, runId: string): Promise<Ended> => startSync(data, runId).ended;

/** Kills it `thenMs` after that step began: a step comes on any machine, however fast it is just now. */
function killedSync(data: string, step: number, thenMs: number): Promise<Ended> {
  let due = false;
  const { child, ended } = startSync(data, "run-0", (steps) => {
    if (due || steps < step) return;
    due = true;
    setTimeout(() => child.kill("SIGKILL"), thenMs);
  });
  return ended;
}

/** Everything stored but times and what names the store itself. */
function contentOf(data: string): unknown {
  const store = openClsStore(data, root);
  const all = (sql: string): unknown[] => store.db.prepare(sql).raw().all();
  const content = {
    rows: all("SELECT * FROM rows ORDER BY id"),
    events: [...incrementEvents(store)],
    changes: all("SELECT * FROM change_log ORDER BY file_id, row, field"),
    pending: all("SELECT file, row, kind, key, cells, decision FROM pending ORDER BY id"),
    replaced: all("SELECT * FROM replaced ORDER BY id"),
    files: all("SELECT id, name, state, counts, warnings FROM files ORDER BY id"),
  };
  store.close();
  return content;
}

test("a sync killed at any moment and started again stores and tells the same as one that was not", async () => {
  const reference = join(work, "reference");
  const undisturbed = await syncProcess(reference, "run-0");
  expect(undisturbed.errors).toContain("committing");
  expect(undisturbed.code).toBe(0);
  const expected = contentOf(reference);
  const steps = stepsIn(undisturbed.errors);
  let killed = 0;
  for (let n = 0; n < KILLS; n += 1) {
    const data = join(work, `killed-${n}`);
    // One random moment in each eighth of the run.
    const step = 1 + Math.floor(((n + Math.random()) / KILLS) * steps);
    const thenMs = (Math.random() * undisturbed.ms) / (2 * steps);
    const moment = `killed ${thenMs} ms after the beginning of step ${step}`;
    const first = await killedSync(data, step, thenMs);
    if (first.signal === "SIGKILL") killed += 1;
    const second = await syncProcess(data, "run-0");
    expect(second.code, second.errors).toBe(0);
    expect(contentOf(data), moment).toEqual(expected);
    if (first.signal === "SIGKILL")
      expect(JSON.parse(second.printed), moment).toEqual(JSON.parse(undisturbed.printed));
  }
  // The last steps may be over before the kill comes.
  expect(killed).toBeGreaterThanOrEqual(KILLS / 2);
});

test("a killed run lets the next one go on at once", async () => {
  const data = join(work, "lock");
  const child = spawn(process.execPath, [CHILD, root, data, "run-killed"], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await until(() => lockHolderOf(data, root)?.runId === "run-killed");
  child.kill("SIGKILL");
  await ended;
  const next = await syncProcess(data, "run-next");
  expect(next.code, next.errors).toBe(0);
  expect(next.errors).not.toContain("waiting");
});

test("two runs on one root do not work at once, and the second says for whom it waits", async () => {
  const data = join(work, "two");
  const first = startSync(data, "run-one");
  await until(() => lockHolderOf(data, root)?.runId === "run-one");
  // Held until the second has come to the root, however long that takes to start.
  first.child.kill("SIGSTOP");
  const other = startSync(data, "run-two");
  await until(() => other.errors().includes("waiting for run run-one on this root"));
  first.child.kill("SIGCONT");
  const [{ code, printed }, second] = await Promise.all([first.ended, other.ended]);
  expect([code, second.code]).toEqual([0, 0]);
  const statuses = (text: string): string[] =>
    (JSON.parse(text) as { files: { status: string }[] }).files.map(({ status }) => status);
  expect(statuses(printed)).toEqual([
    "applied",
    "applied",
    "applied",
    "applied",
    "applied",
    "failed",
  ]);
  expect(statuses(second.printed)).toEqual([
    "skipped",
    "skipped",
    "skipped",
    "skipped",
    "skipped",
    "failed",
  ]);
});
