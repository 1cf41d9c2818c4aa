import { expect, it } from "vitest";
import { createCatchUp } from "../../../../daemon/control/catch-up.ts";

/** An audit whose waits end when the test says so. */
function fakeAudit(changes: { state?: "ok" | "unavailable"; lagRecords?: number } = {}) {
  const asked: { seq: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  return {
    asked,
    state:
      changes.state === "unavailable"
        ? ({ kind: "unavailable", cause: "full" } as const)
        : ({ kind: "ok" } as const),
    lagRecords: changes.lagRecords ?? 0,
    written: (seq: number) =>
      new Promise<void>((resolve, reject) => asked.push({ seq, resolve, reject })),
  };
}

/** Longer than any test may last. */
const FOREVER_MS = 600_000;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const lastSeq = async (): Promise<number> => 42;

it("waits for one task's journal until the audit has it", async () => {
  const audit = fakeAudit();
  const order: string[] = [];
  const { upTo } = createCatchUp({ audit, lastSeq, limitMs: FOREVER_MS });
  const waiting = upTo(7).then(() => order.push("answered"));
  await turn();
  order.push("written");
  audit.asked[0]?.resolve();
  await waiting;
  expect(audit.asked.map(({ seq }) => seq)).toEqual([7]);
  expect(order).toEqual(["written", "answered"]);
});

it("waits for all that the journal stream holds when the question comes", async () => {
  const audit = fakeAudit();
  const waiting = createCatchUp({ audit, lastSeq, limitMs: FOREVER_MS }).all();
  await turn();
  expect(audit.asked.map(({ seq }) => seq)).toEqual([42]);
  audit.asked[0]?.resolve();
  await waiting;
});

it("waits for no audit that cannot be written, and for none that lacks thousands of records", async () => {
  for (const audit of [fakeAudit({ state: "unavailable" }), fakeAudit({ lagRecords: 5001 })]) {
    const { upTo, all } = createCatchUp({ audit, lastSeq, limitMs: FOREVER_MS });
    await upTo(7);
    await all();
    expect(audit.asked).toEqual([]);
  }
});

it("goes on when the wait or the look at the stream fails", async () => {
  const audit = fakeAudit();
  const broken = createCatchUp({
    audit,
    lastSeq: () => Promise.reject(new Error("no broker")),
    limitMs: FOREVER_MS,
  });
  await broken.all();
  const waiting = broken.upTo(1);
  await turn();
  audit.asked[0]?.reject(new Error("the disk is full"));
  await waiting;
});

it("after the limit it waits no more, until the audit has what was waited for", async () => {
  const audit = fakeAudit();
  const { upTo } = createCatchUp({ audit, lastSeq, limitMs: 1 });
  await upTo(1);
  await upTo(2);
  expect(audit.asked.map(({ seq }) => seq)).toEqual([1]);
  audit.asked[0]?.resolve();
  await turn();
  await upTo(3);
  expect(audit.asked.map(({ seq }) => seq)).toEqual([1, 3]);
});
