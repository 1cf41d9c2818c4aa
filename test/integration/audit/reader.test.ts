import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import type { AuditReader, EnqueueRow } from "../../../daemon/audit/audit-store.ts";
import { pushEnqueueCells } from "../../../daemon/audit/enqueue-cells.ts";
import { toFollowedRecord } from "../../../daemon/audit/followed-record.ts";
import { createReader } from "../../../daemon/audit/reader.ts";
import { createWriter, type Writer } from "../../../daemon/audit/writer.ts";
import type { Cell } from "../../../daemon/db/bulk-insert.ts";
import { openDatabase } from "../../../daemon/db/open.ts";
import type { TaskFilter } from "../../../shared/control.ts";
import { encodeRecord, type JournalRecord } from "../../../shared/task.ts";
import { aRow } from "../../support/audit-rows.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = 1_700_000_000_000;
let writer: Writer;
let reader: AuditReader;
let seq = 0;

beforeEach(() => {
  const file = join(tempDir(), "audit.db");
  writer = createWriter(openDatabase(file), () => NOW);
  reader = createReader({ file, epoch: () => 1, now: () => NOW });
  seq = 0;
  onTestFinished(() => {
    reader.close();
    writer.close();
  });
});

function enqueue(...rows: EnqueueRow[]): void {
  const cells: Cell[] = [];
  for (const row of rows) pushEnqueueCells(cells, row);
  writer.transaction(true, () => writer.enqueue(cells));
}

function follow(
  id: string,
  queue: string,
  record: Partial<JournalRecord> & { s: JournalRecord["s"] },
) {
  seq += 1;
  const text = encodeRecord({ g: 1, a: 1, l: 5, t: NOW, n: "etl.load", ...record });
  const followed = toFollowedRecord(seq, id, queue, "0", text);
  writer.transaction(false, () => writer.records([followed], { seq, time: "0", stream: "s" }));
}

const listed = (where: TaskFilter): string[] =>
  reader.list(where, 100, null).tasks.map(({ id }) => id);

function someTasks(): void {
  enqueue(
    aRow("a", { queue: "etl", level: 9, by: "ann", createdAt: NOW - 4000 }),
    aRow("b", { queue: "reports", name: "reports.day", level: 5, createdAt: NOW - 3000 }),
    aRow("c", { queue: "etl", level: 2, correlationId: "x_1", createdAt: NOW - 2000 }),
    aRow("d", {
      queue: "cls",
      level: 5,
      createdAt: NOW - 1000,
      dueAt: NOW + 9,
      status: "scheduled",
    }),
    aRow("e", { queue: "etl", level: 5, createdAt: NOW }),
  );
  follow("b", "reports", { s: "completed", st: NOW - 50, du: 50 });
  follow("c", "etl", {
    s: "dead",
    l: 2,
    e: { code: "E", message: "50% broken" },
    st: NOW - 10,
    du: 10,
  });
}

test.each<[string, TaskFilter, string[]]>([
  ["nothing", {}, ["e", "d", "c", "b", "a"]],
  ["one open status", { status: ["waiting"] }, ["e", "a"]],
  ["open statuses over queues", { status: ["waiting", "scheduled", "dead"] }, ["e", "d", "c", "a"]],
  ["completed", { status: ["completed"] }, ["b"]],
  ["completed and open ones", { status: ["completed", "dead"] }, ["c", "b"]],
  ["a status that no task has", { status: ["running"] }, []],
  ["a queue", { queue: "etl" }, ["e", "c", "a"]],
  ["a queue and a status", { queue: "etl", status: ["waiting"] }, ["e", "a"]],
  ["a name", { name: "reports.day" }, ["b"]],
  ["a level", { level: 5 }, ["e", "d", "b"]],
  ["levels", { minLevel: 3, maxLevel: 8 }, ["e", "d", "b"]],
  ["a bucket", { bucket: "high" }, ["a"]],
  ["who", { by: "ann" }, ["a"]],
  ["a text in an error, taken literally", { text: "50%" }, ["c"]],
  ["a text in a correlation id, taken literally", { text: "x_1" }, ["c"]],
  ["a text that only a wildcard would find", { text: "x%1" }, []],
  ["times", { createdAfter: NOW - 3500, createdBefore: NOW - 500 }, ["d", "c", "b"]],
  ["two conditions", { status: ["waiting"], bucket: "normal" }, ["e"]],
])("a list by %s has just those tasks, newest first", (_, where, expected) => {
  someTasks();
  expect(listed(where)).toEqual(expected);
  expect(reader.ids(where, 100)).toEqual(expected);
});

test("pages neither repeat nor skip a task while others come", () => {
  const ids = Array.from({ length: 25 }, (_, i) => `t${i}`);
  enqueue(...ids.map((id, i) => aRow(id, { queue: i % 2 ? "etl" : "cls" })));
  const seen: string[] = [];
  for (let cursor: string | null = null, page = 0; ; page += 1) {
    const answer = reader.list({ status: ["waiting"] }, 10, cursor);
    seen.push(...answer.tasks.map(({ id }) => id));
    enqueue(aRow(`late${page}`));
    cursor = answer.next;
    if (cursor === null) break;
  }
  expect(seen).toEqual(ids.toReversed());
});

test("unfinished tasks come page by page, oldest first, without those that run or ended", () => {
  someTasks();
  follow("a", "etl", { s: "running", w: "w1" });
  enqueue(aRow("f", { queue: "zoo" }), aRow("g"));
  expect(reader.unfinished("", 2).map(({ id }) => id)).toEqual(["d", "e"]);
  expect(reader.unfinished("e", 2).map(({ id }) => id)).toEqual(["f", "g"]);
  expect(reader.unfinished("g", 2)).toEqual([]);
});

test("queues are asked about without reading their tasks", () => {
  someTasks();
  enqueue(aRow("g", { createdAt: NOW + 5 }));
  expect(reader.oldestWaiting()).toEqual([{ queue: "etl", createdAt: NOW - 4000 }]);
  expect(reader.countAhead("etl", 5, NOW + 5)).toBe(1);
  expect(reader.countAhead("etl", 9, NOW + 5)).toBe(1);
  expect(reader.endedSince(NOW - 1)).toBe(2);
  expect(reader.endedSince(NOW + 1)).toBe(0);
  expect(reader.counts()).toEqual({
    scheduled: 1,
    waiting: 3,
    running: 0,
    retrying: 0,
    completed: 1,
    cancelled: 0,
    dead: 1,
  });
});

test("the ready-made questions answer for the hours that are asked for", () => {
  someTasks();
  enqueue(aRow("old", { createdAt: NOW - 48 * 3_600_000 }));
  follow("old", "etl", { s: "completed", t: NOW - 47 * 3_600_000, du: 9 });
  for (const [i, du] of [100, 200, 300].entries())
    follow(`n${i}`, "etl", { s: "completed", n: "etl.load", du });
  expect(reader.query("by-status", 24)).toEqual({
    columns: ["status", "tasks"],
    rows: [
      ["completed", 4],
      ["waiting", 2],
      ["scheduled", 1],
      ["dead", 1],
    ],
  });
  expect(reader.query("durations", 24)).toEqual({
    columns: ["task_name", "tasks", "average_ms", "p95_ms"],
    rows: [
      ["etl.load", 3, 200, 290],
      ["reports.day", 1, 50, 50],
    ],
  });
  expect(reader.query("failures", 24).rows).toEqual([
    ["etl.load", 4, 1, 0.25],
    ["reports.day", 1, 0, 0],
  ]);
  expect(reader.query("durations", 72).rows[0]).toEqual(["etl.load", 4, 152.3, 285]);
});

test("the columns that people ask for in SQL are there", () => {
  someTasks();
  const db = openDatabase(writer.file);
  onTestFinished(() => void db.close());
  const columns = `task_id, task_name, status, args, started_at, ended_at, duration_ms, error, retry_count`;
  expect(db.prepare(`SELECT ${columns} FROM task_audit WHERE status = 'dead'`).all()).toEqual([
    {
      task_id: "c",
      task_name: "etl.load",
      status: "dead",
      args: '{"file":"a.csv"}',
      started_at: NOW - 10,
      ended_at: NOW,
      duration_ms: 10,
      error: "50% broken",
      retry_count: 0,
    },
  ]);
  expect(db.prepare("SELECT ended_at FROM task_audit_utc WHERE task_id = 'c'").pluck().get()).toBe(
    "2023-11-14T22:13:20.000Z",
  );
  expect(
    db.prepare("SELECT count(*) FROM role_permissions WHERE role = 'Viewer'").pluck().get(),
  ).toBe(2);
});

test("tasks are listed from the oldest on when asked so, page by page", () => {
  someTasks();
  const first = reader.list({ status: ["waiting", "scheduled"] }, 2, null, "oldest");
  const second = reader.list({ status: ["waiting", "scheduled"] }, 2, first.next, "oldest");
  expect([first, second].map(({ tasks }) => tasks.map(({ id }) => id))).toEqual([
    ["a", "d"],
    ["e"],
  ]);
  expect(second.next).toBeNull();
});
