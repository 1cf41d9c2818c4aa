import { beforeAll, describe, expect, it } from "vitest";
import type { CrashReport } from "../crash/report.ts";
import { runCrash } from "../crash/run-crash.ts";

/** A small run of the crash harness; `npm run crash` is the long one. */
describe("under kills of workers, daemon and server", () => {
  let report: CrashReport;
  const log: string[] = [];

  beforeAll(async () => {
    report = await runCrash(
      {
        seed: 4,
        tasks: 400,
        seconds: 8,
        kills: 4,
        ordered: 0,
        recoverySeconds: 120,
        keep: false,
      },
      (text) => void log.push(text),
    );
  }, 240_000);

  it("the run made faults and every client learnt what became of its tasks", () => {
    expect(Object.values(report.faults).reduce((a, b) => a + b, 0)).toBeGreaterThan(0);
    expect(report.tasks).toBe(400);
    // Six orders of ten bear an id or a key and are sent until their fate is known; of the others an answer may be lost.
    expect(report.accepted).toBeGreaterThan(200);
  });

  it("no accepted task is lost and everything ends", () => {
    expect(report.broken["lost"], log.join("\n")).toEqual({ count: 0, first: [] });
    expect(report.broken["unfinished"]).toEqual({ count: 0, first: [] });
    expect(report.recovery.settledMs).not.toBeNull();
  });

  it("no task completes twice or moves after its end", () => {
    expect(report.broken["completedTwice"]).toEqual({ count: 0, first: [] });
    expect(report.broken["afterEnd"]).toEqual({ count: 0, first: [] });
  });

  it("a repeated enqueue makes one task", () => {
    expect(report.broken["enqueuedTwice"]).toEqual({ count: 0, first: [] });
  });

  it("every start has its claim, and runs again only as often as handlers were interrupted", () => {
    expect(report.broken["unclaimed"]).toEqual({ count: 0, first: [] });
    expect(report.executions.again).toBeLessThanOrEqual(report.executions.againAtMost);
  });

  it("journal, audit, dead letters and streams agree at the end", () => {
    for (const rule of ["auditDiffers", "audit", "deadLetters", "leftovers"])
      expect(report.broken[rule], rule).toEqual({ count: 0, first: [] });
  });
});
