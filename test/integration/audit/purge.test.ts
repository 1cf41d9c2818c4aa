import { expect, test } from "vitest";
import type { AuditStore } from "../../../daemon/audit/audit-store.ts";
import { noLog } from "../../../daemon/log.ts";
import type { Wire } from "../../../daemon/nats/wire.ts";
import { purgeJournal } from "../../../daemon/queue/purge-journal.ts";
import { type AuditRig, names, startRig } from "../../support/audit-rig.ts";
import { tempDir } from "../../support/temp-dir.ts";

const HOUR_MS = 3_600_000;
/** Ended before any retention of these tests. */
const LONG_AGO = { t: 1_700_000_000_000 };

function purge(
  rig: AuditRig,
  audit: AuditStore,
  { retentionMs = HOUR_MS, signal = new AbortController().signal } = {},
): Promise<number> {
  return purgeJournal({ wire: rig.wire, names, audit, retentionMs, log: noLog }, signal);
}

/** How many records each task has on the broker. */
async function recordsOf(rig: AuditRig): Promise<Record<string, number>> {
  const info = await rig.wire.api<{ state: { subjects?: Record<string, number> } }>(
    `$JS.API.STREAM.INFO.${names.stream.state}`,
    { subjects_filter: names.state("*", "*") },
  );
  const counts = Object.entries(info.state.subjects ?? {});
  return Object.fromEntries(
    counts.map(([subject, count]) => [names.parseState(subject)?.taskId, count]),
  );
}

test("one task that lives long keeps its own records and nobody else's", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.live("before", LONG_AGO);
  await rig.append("long", { s: "running", w: "w1" });
  for (const id of ["a", "b", "c"]) await rig.live(id, LONG_AGO);
  await rig.append("later", { s: "scheduled", due: Date.now() + HOUR_MS });
  await rig.live("d", LONG_AGO);
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, later: 1, newest: 1 });
});

test("thousands of ended tasks behind one scheduled task go in one round", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("later", { s: "scheduled", due: Date.now() + HOUR_MS });
  const ids = Array.from({ length: 4100 }, (_, i) => `ended-${i}`);
  await Promise.all(ids.map((id) => rig.append(id, { s: "completed", ...LONG_AGO })));
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  expect(await purge(rig, audit)).toBe(ids.length);
  expect(await recordsOf(rig)).toEqual({ later: 1, newest: 1 });
});

test("what ended within the retention stays, whatever lives before it", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("long", { s: "running", w: "w1" });
  await rig.live("old", LONG_AGO);
  await rig.live("recent");
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, recent: 2, newest: 1 });
  await purge(rig, audit, { retentionMs: -HOUR_MS });
  expect(await recordsOf(rig)).toEqual({ long: 1, newest: 1 });
});

test("the newest record of the stream stays, so that a new audit reaches its end", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("long", { s: "running", w: "w1" });
  await rig.live("old", LONG_AGO);
  const last = await rig.live("newest", LONG_AGO);
  await audit.written(last);
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, newest: 2 });
  await audit.stop();
  const fresh = await rig.start({ dataDir: tempDir() });
  await fresh.written(last);
  expect(fresh.lagRecords).toBe(0);
});

test("a task that was redriven while it was purged keeps the record of its new life", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("long", { s: "running", w: "w1" });
  await rig.append("again", { s: "dead", ...LONG_AGO });
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  let redriven = 0;
  const overtaken: AuditStore = {
    ...audit,
    async purgeable(retentionMs, done) {
      const found = await audit.purgeable(retentionMs, done);
      if (redriven === 0) redriven = await rig.append("again", { s: "waiting", g: 2 });
      return found;
    },
  };
  await purge(rig, overtaken);
  expect(await recordsOf(rig)).toEqual({ long: 1, again: 1, newest: 1 });
  const left = await rig.wire.last(names.stream.state, names.state("etl", "again"));
  expect(left?.seq).toBe(redriven);
});

test("the older records of a task go first, and a batch that was interrupted is named again", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("long", { s: "running", w: "w1" });
  const last = await rig.live("old", LONG_AGO);
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  const named = async (): Promise<string[]> =>
    (await audit.purgeable(HOUR_MS, 0)).tasks.map(({ id }) => id);
  const stopped = new AbortController();
  const wire: Wire = {
    ...rig.wire,
    async purge(...args) {
      const gone = await rig.wire.purge(...args);
      stopped.abort();
      return gone;
    },
  };
  await purge({ ...rig, wire }, audit, { signal: stopped.signal });
  expect(await recordsOf(rig)).toEqual({ long: 1, old: 1, newest: 1 });
  const left = await rig.wire.last(names.stream.state, names.state("etl", "old"));
  expect(left?.seq).toBe(last);
  expect(await named()).toEqual(["old"]);
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, newest: 1 });
  expect(await named()).toEqual([]);
});

test("a task that was passed over because it lived is purged when it has ended", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("long", { s: "running", w: "w1" });
  await rig.append("slow", { s: "running", w: "w1" });
  await rig.live("old", LONG_AGO);
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, slow: 1, newest: 1 });
  await rig.append("slow", { s: "completed", w: "w1", ...LONG_AGO });
  await audit.written(await rig.append("newest", { s: "running", w: "w2" }));
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, newest: 2 });
});

test("a name with a wildcard takes no other task's records along", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  await rig.append("long", { s: "running", w: "w1" });
  await rig.append("*", { s: "completed", ...LONG_AGO });
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  await purge(rig, audit);
  expect(await recordsOf(rig)).toMatchObject({ long: 1, newest: 1 });
});

test("three quarters of the retention are kept when the stream is nearly full", async () => {
  const rig = await startRig();
  const audit = await rig.start();
  const endedBefore = (share: number) => ({ t: Date.now() - HOUR_MS * share });
  await rig.append("long", { s: "running", w: "w1" });
  await rig.live("at-80", endedBefore(0.8));
  await rig.live("at-70", endedBefore(0.7));
  await audit.written(await rig.append("newest", { s: "running", w: "w1" }));
  await fillTo(rig, 0.7);
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, "at-80": 2, "at-70": 2, newest: 1 });
  await fillTo(rig, 0.8);
  await purge(rig, audit);
  expect(await recordsOf(rig)).toEqual({ long: 1, "at-70": 2, newest: 1 });
});

/** Gives the journal's stream a bound of which it takes this share. */
async function fillTo(rig: AuditRig, share: number): Promise<void> {
  const stream = names.stream.state;
  const { config, state } = await rig.wire.api<{ config: object; state: { bytes: number } }>(
    `$JS.API.STREAM.INFO.${stream}`,
    undefined,
  );
  const bound = { max_bytes: Math.ceil(state.bytes / share), discard: "new" };
  await rig.wire.api(`$JS.API.STREAM.UPDATE.${stream}`, { ...config, ...bound });
}
