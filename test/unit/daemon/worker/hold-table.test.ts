import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createHoldTable, heldSubjects } from "../../../../daemon/worker/hold-table.ts";

const PLACES = 512;
const LONGEST = 190;

test("a subject is held from its entry until its place is given back", () => {
  const table = createHoldTable();
  const a = table.put("$JS.ACK.a");
  const b = table.put("$JS.ACK.b");
  expect(heldSubjects(table.memory).sort()).toEqual(["$JS.ACK.a", "$JS.ACK.b"]);
  table.take(a);
  expect(heldSubjects(table.memory)).toEqual(["$JS.ACK.b"]);
  table.take(b);
  expect(heldSubjects(table.memory)).toEqual([]);
});

test("a place that served a long subject holds a short one without its rest", () => {
  const table = createHoldTable();
  table.take(table.put(`$JS.ACK.${"x".repeat(150)}`));
  table.put("$JS.ACK.short");
  expect(heldSubjects(table.memory)).toEqual(["$JS.ACK.short"]);
});

test("a full table and too long a subject are answered with no place, and giving that back does nothing", () => {
  const table = createHoldTable();
  expect(table.put("x".repeat(LONGEST + 1))).toBe(-1);
  const places = Array.from({ length: PLACES }, (_, i) => table.put(`s${i}`.padEnd(LONGEST, ".")));
  expect(new Set(places).size).toBe(PLACES);
  expect(table.put("one more")).toBe(-1);
  table.take(-1);
  expect(heldSubjects(table.memory)).toHaveLength(PLACES);
  table.take(places[7]!);
  expect(table.put("one more")).toBe(places[7]);
  expect(heldSubjects(table.memory)).toContain("one more");
});

test("whatever comes and goes in whatever order, exactly the entries that were not given back are held", () => {
  const act = fc.record({ put: fc.boolean(), which: fc.nat() });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 300 }), (acts) => {
      const table = createHoldTable();
      const held = new Map<string, number>();
      acts.forEach(({ put, which }, i) => {
        const subject = `$JS.ACK.${i}.${"x".repeat(which % 150)}`;
        const [oldest] = [...held.keys()].slice(which % (held.size || 1));
        if (put) held.set(subject, table.put(subject));
        else if (oldest !== undefined) {
          table.take(held.get(oldest)!);
          held.delete(oldest);
        }
      });
      expect(heldSubjects(table.memory).sort()).toEqual([...held.keys()].sort());
    }),
  );
});

test("a thread sees what is held while the loop that holds it is blocked", async () => {
  const table = createHoldTable();
  const module = new URL("../../../../daemon/worker/hold-table.ts", import.meta.url).href;
  const seen = new Int32Array(new SharedArrayBuffer(8));
  // It looks when it is told to, answers how many it sees, and needs nothing of the loop in between.
  const reader = new Worker(
    `const { workerData, parentPort } = require("node:worker_threads");
     import(workerData.module).then(({ heldSubjects }) => {
       parentPort.postMessage("ready");
       Atomics.wait(workerData.seen, 0, 0);
       Atomics.store(workerData.seen, 1, heldSubjects(workerData.memory).length + 100);
       Atomics.notify(workerData.seen, 1);
     });`,
    { eval: true, workerData: { module, memory: table.memory, seen } },
  );
  await once(reader, "message");
  for (const name of ["a", "b", "c"]) table.put(`$JS.ACK.${name}`);
  Atomics.store(seen, 0, 1);
  Atomics.notify(seen, 0);
  // Blocked like a loop whose handler does not return.
  Atomics.wait(seen, 1, 0);
  expect(Atomics.load(seen, 1)).toBe(103);
  await reader.terminate();
});
