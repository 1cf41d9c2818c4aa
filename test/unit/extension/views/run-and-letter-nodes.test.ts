import { describe, expect, test } from "vitest";
import { deadLetterNodes } from "../../../../extension/views/dead-letter-nodes.ts";
import type { NodeView } from "../../../../extension/views/node.ts";
import { pipelineNodes } from "../../../../extension/views/pipeline-nodes.ts";
import { aContext, aPhase, aRun, aTask, secondsAgo } from "../../../support/work-views.ts";

const labels = (nodes: readonly NodeView[] | null): string[] =>
  (nodes ?? []).map(({ label, description }) => `${label} | ${description}`);

describe("pipelines", () => {
  const nodesOf = (runs: ReturnType<typeof aRun>[], role: "Admin" | "Viewer" = "Admin") =>
    pipelineNodes(
      {
        pipelines: [{ name: "cls_all", phases: ["sync", "integrate"], runs, hasMore: false }],
        progress: new Map([["run-sync", { done: 61, total: 100 }]]),
      },
      aContext(role),
    );

  test("a run that is under way tells who, how far and how long; its phase the share", () => {
    const [pipeline] = nodesOf([aRun()]);
    expect(labels([pipeline!])).toEqual(["CLS_ALL | 1 running"]);
    expect(labels(pipeline!.children)).toEqual(["Run #00118a | by ada · 0 of 2 phases · 1m 10s"]);
    expect(labels(pipeline!.children![0]!.children)).toEqual([
      "sync | 61 % · 1m 04s",
      "integrate | ",
    ]);
  });

  test("a run that ended tells when, how long, its warnings, and where it failed", () => {
    const ended = { createdAt: secondsAgo(600), endedAt: secondsAgo(189) };
    const failed = aRun({
      ...ended,
      status: "failed",
      phases: [
        aPhase("sync", {
          status: "completed",
          startedAt: secondsAgo(600),
          endedAt: secondsAgo(558),
        }),
        aPhase("integrate", { status: "dead", error: "no column\namount" }),
      ],
    });
    const [pipeline] = nodesOf([aRun({ ...ended, status: "completed", warnings: 5 }), failed]);
    expect(labels(pipeline!.children)).toEqual([
      "Run #00118a | 3 min. ago · 6m 51s · 5 warnings · by ada",
      "Run #00118a | failed at integrate · 3 min. ago · 6m 51s · by ada",
    ]);
    expect(labels(pipeline!.children![1]!.children)).toEqual([
      "sync | 42 s",
      "integrate | Dead letter · no column amount",
    ]);
  });

  test("a run can be cancelled while it runs and repeated when it ended, by whoever may run", () => {
    const words = (role: "Admin" | "Viewer") =>
      nodesOf(
        [aRun(), aRun({ status: "completed", endedAt: secondsAgo(1) })],
        role,
      )[0]!.children!.map((node) => node.contextValue);
    expect(words("Admin")).toEqual(["run abortable", "run repeatable"]);
    expect(words("Viewer")).toEqual(["run", "run"]);
    expect(nodesOf([], "Viewer")[0]!.contextValue).toBe("");
  });

  test("a phase that was not begun is no target of commands", () => {
    const [, pending] = nodesOf([aRun()])[0]!.children![0]!.children!;
    expect([pending!.contextValue, pending!.target]).toEqual(["", { kind: "phase", id: "" }]);
  });
});

describe("dead letters", () => {
  test("each tells when, after how many attempts and why; the rest is in the dashboard", () => {
    const letters = [
      aTask({ status: "dead", attempts: 4, endedAt: secondsAgo(720), error: "timeout\nat line 3" }),
    ];
    expect(labels(deadLetterNodes({ letters, total: 1201 }, aContext()))).toEqual([
      "etl.load | 12 min. ago · timeout at line 3 · 4 attempts  #a41f9c",
      "1,200 more… | in the dashboard",
    ]);
  });
});
