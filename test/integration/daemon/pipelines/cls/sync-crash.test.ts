import { spawn } from "node:child_process";
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

/** Runs a sync of its own process; kills it after `killAfterMs` when that comes before its end. */
async function syncProcess(data: string, runId: string, killAfterMs?: number): Promise<Ended> {
  const began = performance.now();
  const child = spawn(process.execPath, [CHILD, root, data, runId]);
  const timer =
    killAfterMs === undefined ? undefined : setTimeout(() => child.kill("SIGKILL"), killAfterMs);
  let printed = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    printed += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, printed, errors, ms: performance.now() - began });
    });
  });
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
  let killed = 0;
  for (let n = 0; n < KILLS; n += 1) {
    const data = join(work, `killed-${n}`);
    // One random moment in each eighth of the run.
    const moment = ((n + Math.random()) / KILLS) * undisturbed.ms;
    const first = await syncProcess(data, "run-0", moment);
    if (first.signal === "SIGKILL") killed += 1;
    const second = await syncProcess(data, "run-0");
    expect(second.code, second.errors).toBe(0);
    expect(contentOf(data), `killed after ${moment} ms`).toEqual(expected);
    if (first.signal === "SIGKILL") {
      expect(JSON.parse(second.printed), `killed after ${moment} ms`).toEqual(
        JSON.parse(undisturbed.printed),
      );
    }
  }
  // The last moments may come after the end on a machine that is faster this time.
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
  const first = syncProcess(data, "run-one");
  await until(() => lockHolderOf(data, root)?.runId === "run-one");
  const second = await syncProcess(data, "run-two");
  const { code, printed } = await first;
  expect([code, second.code]).toEqual([0, 0]);
  expect(second.errors).toContain("waiting for run run-one on this root");
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
