import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateClsRoot } from "../../../daemon/pipelines/cls/generate.ts";
import { type ClsCrashReport, runClsCrash } from "../../crash/cls-crash.ts";

const KILLS = 3;

let work: string;
let report: ClsCrashReport;
const log: string[] = [];

/** A short run of the crash harness of CLS; `npm run crash:cls` is the long one. */
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), "cls-crash-"));
  await generateClsRoot(work, {
    rows: 1500,
    increments: 2,
    rowsPerIncrement: 200,
    dailyRows: 300,
    withBroken: true,
  });
  report = await runClsCrash(
    { root: work, kills: KILLS, seed: 12, recoverySeconds: 120 },
    (text) => void log.push(text),
  );
}, 300_000);
afterAll(() => rm(work, { recursive: true, force: true }));

test("a run whose worker or daemon is killed completes by itself", () => {
  expect(report.runs.map(({ status }) => status)).toEqual(Array(KILLS).fill("completed"));
  expect(report.kills.worker).toBeGreaterThan(0);
  expect(report.kills.daemon).toBeGreaterThan(0);
});

test("it leaves the same store, the same files byte by byte and the same results, each phase completed once", () => {
  expect(
    report.runs.flatMap(({ broken }) => broken),
    log.join("\n"),
  ).toEqual([]);
});

test("the command that waits for it gets its end although the daemon was restarted", () => {
  expect(report.runs.map(({ waitingExit }) => waitingExit)).toEqual(Array(KILLS).fill(0));
});
