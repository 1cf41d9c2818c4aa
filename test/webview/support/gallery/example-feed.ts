/** Example rows of the live feed. For looking at and tests only. */
import type { FeedBatch, FeedRow } from "../../../../shared/view/messages.ts";
import { EXAMPLE_NOW, HOSTILE, LONG } from "./example-data.ts";

const KINDS: readonly Pick<FeedRow, "type" | "severity" | "subject" | "text" | "status" | "by">[] =
  [
    {
      type: "task.completed",
      severity: "info",
      subject: "cls.sync",
      text: "completed in 42 s",
      status: "completed",
      by: null,
    },
    {
      type: "task.escalated",
      severity: "info",
      subject: "etl.load.warehouse",
      text: "level 8 → 9 Urgent by operator1, “customer call”",
      status: "waiting",
      by: "operator1",
    },
    {
      type: "task.progress",
      severity: "info",
      subject: "cls.integrate",
      text: "12,480 of 20,400 rows",
      status: "running",
      by: null,
    },
    {
      type: "task.retrying",
      severity: "warning",
      subject: "etl.load.warehouse",
      text: "no reply within 30 s; retry in 60 s",
      status: "retrying",
      by: null,
    },
    {
      type: "task.dead",
      severity: "error",
      subject: HOSTILE,
      text: HOSTILE + LONG,
      status: "dead",
      by: null,
    },
    {
      type: "events.cls.sync.completed",
      severity: "info",
      subject: "",
      text: "7,200 rows in, 5,624 new",
      status: null,
      by: null,
    },
  ];

export function exampleRow(seq: number): FeedRow {
  const kind = KINDS[seq % KINDS.length]!;
  return {
    ...kind,
    seq,
    at: EXAMPLE_NOW - 40_000 + seq * 331,
    taskId: kind.status === null ? null : `FEKb8TkOBqk6dYDt${String(seq).padStart(6, "0")}`,
    runId: kind.subject.startsWith("cls.") ? "RunOfExample00000118" : null,
    queue: kind.subject === "" ? null : (kind.subject.split(".")[0] ?? null),
    traceId: "7f3a9c0211d94a1b",
    times: seq % 17 === 3 ? 4 : 1,
  };
}

export function exampleBatch(
  batch: number,
  from: number,
  count: number,
  more: Partial<FeedBatch> = {},
): FeedBatch {
  const rows = Array.from({ length: count }, (_, index) => exampleRow(from + index));
  return {
    batch,
    rows,
    sampledOut: 0,
    dropped: 0,
    perSecond: 38,
    lastAt: rows.at(-1)?.at ?? null,
    ...more,
  };
}
