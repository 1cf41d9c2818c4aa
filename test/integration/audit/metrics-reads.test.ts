import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { AuditReader, EnqueueRow } from "../../../daemon/audit/audit-store.ts";
import { pushEnqueueCells } from "../../../daemon/audit/enqueue-cells.ts";
import { toFollowedRecord } from "../../../daemon/audit/followed-record.ts";
import { createReader } from "../../../daemon/audit/reader.ts";
import { createWriter, type Writer } from "../../../daemon/audit/writer.ts";
import type { Cell } from "../../../daemon/db/bulk-insert.ts";
import { openDatabase } from "../../../daemon/db/open.ts";
import { encodeRecord, type JournalRecord } from "../../../shared/task.ts";
import { aRow } from "../../support/audit-rows.ts";
import { tempDir } from "../../support/temp-dir.ts";

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
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

function enqueue(rows: readonly EnqueueRow[]): void {
  const cells: Cell[] = [];
  for (const row of rows) pushEnqueueCells(cells, row);
  writer.transaction(true, () => writer.enqueue(cells));
}

type Some = Partial<JournalRecord> & Pick<JournalRecord, "s">;

function follow(...records: (Some & { id: string })[]): void {
  const followed = records.map(({ id, ...record }) => {
    seq += 1;
    const text = encodeRecord({ g: 1, a: 1, l: 5, t: NOW, n: "etl.load", ...record });
    return toFollowedRecord(seq, id, "etl", "0", text);
  });
  writer.transaction(false, () => writer.records(followed, { seq, time: "0", stream: "s" }));
}

const WAITED_FROM = NOW - HOUR_MS;

describe("how long tasks waited", () => {
  test("nobody started anything: nothing is known", () => {
    enqueue([aRow("a", { createdAt: NOW - 5000 })]);
    expect(reader.waits(WAITED_FROM)).toBeNull();
  });

  test("the median and the 95th percentile of what started", () => {
    const ids = Array.from({ length: 100 }, (_, n) => `t${n}`);
    enqueue(ids.map((id) => aRow(id, { createdAt: NOW - 100_000 })));
    follow(
      ...ids.map((id, n) => ({ id, s: "completed" as const, st: NOW - 100_000 + n + 1, du: 1 })),
    );
    expect(reader.waits(WAITED_FROM)).toEqual({ p50: 50, p95: 95 });
  });

  test("of very many it takes some, spread over all of them", () => {
    const ids = Array.from({ length: 5000 }, (_, n) => `t${n}`);
    enqueue(ids.map((id) => aRow(id, { createdAt: NOW - 100_000 })));
    follow(
      ...ids.map((id, n) => ({ id, s: "completed" as const, st: NOW - 100_000 + n + 1, du: 1 })),
    );
    const { p50, p95 } = reader.waits(WAITED_FROM)!;
    expect(Math.abs(p50 - 2500)).toBeLessThan(50);
    expect(Math.abs(p95 - 4750)).toBeLessThan(50);
  });

  test("a task that started before that time is not among them", () => {
    enqueue([aRow("a", { createdAt: NOW - 3 * HOUR_MS })]);
    follow({ id: "a", s: "completed", st: NOW - 2 * HOUR_MS, du: 1, t: NOW });
    expect(reader.waits(WAITED_FROM)).toBeNull();
  });

  test("a task that was escalated counts; one that waited for its time or was retried does not", () => {
    const created = { createdAt: NOW - 10_000 };
    enqueue([aRow("urgent", created), aRow("later", created), aRow("again", created)]);
    follow(
      {
        id: "urgent",
        s: "waiting",
        g: 2,
        a: 0,
        act: "urgent",
        from: 5,
        l: 9,
        by: "ann",
        t: NOW - 9000,
      },
      { id: "urgent", s: "completed", g: 2, st: NOW - 8000, du: 1 },
      { id: "later", s: "scheduled", a: 0, due: NOW - 500, t: NOW - 9000 },
      { id: "later", s: "waiting", g: 2, a: 0, act: "due", t: NOW - 500 },
      { id: "later", s: "completed", g: 2, st: NOW - 400, du: 1 },
      { id: "again", s: "retrying", st: NOW - 5000, du: 1, e: { code: "x", message: "no" } },
      { id: "again", s: "completed", g: 2, a: 2, st: NOW - 100, du: 1 },
    );
    expect(reader.waits(WAITED_FROM)).toEqual({ p50: 2000, p95: 2000 });
  });
});

describe("ends minute by minute", () => {
  const minute = NOW - (NOW % 60_000);

  test("ends and failed executions of the range, each in its minute", () => {
    enqueue(["a", "b", "c", "d"].map((id) => aRow(id, { createdAt: minute - 600_000 })));
    const e = { code: "x", message: "no" };
    follow(
      { id: "a", s: "completed", st: minute - 120_000, du: 1, t: minute - 120_000 },
      { id: "b", s: "retrying", st: minute - 119_000, du: 1, e, t: minute - 119_000 },
      {
        id: "b",
        s: "dead",
        g: 2,
        a: 2,
        st: minute - 60_000,
        du: 1,
        e,
        dead: "attempts-exhausted",
        t: minute - 60_000,
      },
      { id: "c", s: "cancelled", act: "cancel", by: "ann", t: minute - 60_000 },
      { id: "d", s: "completed", st: minute, du: 1, t: minute },
    );
    const found = reader.endsByMinute(minute - HOUR_MS, minute);
    expect(found.toSorted((a, b) => a.at - b.at)).toEqual([
      { at: minute - 120_000, completed: 1, dead: 0, cancelled: 0, failed: 1 },
      { at: minute - 60_000, completed: 0, dead: 1, cancelled: 1, failed: 1 },
    ]);
  });
});
