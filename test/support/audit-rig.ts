import { createUser } from "@nats-io/nkeys";
import { onTestFinished } from "vitest";
import type { AuditStore } from "../../daemon/audit/audit-store.ts";
import { type AuditDeps, startAudit } from "../../daemon/audit/start-audit.ts";
import { connectNats } from "../../daemon/nats/connect.ts";
import { createWire, encodeHeaders, type Wire } from "../../daemon/nats/wire.ts";
import { createNames, HEADER } from "../../shared/subjects.ts";
import { encodeRecord, type JournalRecord } from "../../shared/task.ts";
import { auditDeps } from "./audit-rows.ts";
import { startNatsServer, type TestNatsServer } from "./nats-server.ts";
import { tempDir } from "./temp-dir.ts";
import { until } from "./until.ts";

export const names = createNames();
const QUEUE = "etl";

/** The journal's stream and that of the events, as the daemon makes them as far as the audit is concerned. */
async function makeStreams(wire: Wire): Promise<void> {
  const make = (name: string, subjects: readonly string[]): Promise<unknown> =>
    wire.api(`$JS.API.STREAM.CREATE.${name}`, {
      name,
      subjects,
      storage: "file",
      allow_direct: true,
      duplicate_window: 120_000_000_000,
    });
  await make(names.stream.state, ["ms.state.*.*"]);
  await make(names.stream.events, ["ms.event.>", "events.>"]);
}

/** A broker, a connection to it, and audits on a data directory, all of which end with the test. */
export interface AuditRig {
  readonly nats: TestNatsServer;
  readonly wire: Wire;
  readonly dataDir: string;
  start(changes?: Partial<AuditDeps>): Promise<AuditStore>;
  /** Appends a record to a task's journal; resolves with its sequence. */
  append(id: string, record: Partial<JournalRecord> & Pick<JournalRecord, "s">): Promise<number>;
  /** Waits until the broker answers again after it was killed: what is appended then is appended once. */
  back(): Promise<void>;
  /** A task's usual two records. Resolves with the last sequence. */
  live(id: string, more?: Partial<JournalRecord>): Promise<number>;
}

export async function startRig(): Promise<AuditRig> {
  const dataDir = tempDir();
  const nats = await startNatsServer();
  onTestFinished(() => nats.stop());
  const link = await connectNats({
    servers: nats.url,
    seed: createUser().getSeed(),
    name: "test",
    inboxPrefix: "_INBOX_test",
  });
  onTestFinished(() => link.nc.close());
  const wire = createWire(link.nc, { inbox: "_INBOX_test.w", timeoutMs: 20_000 });
  await makeStreams(wire);
  const rig: AuditRig = {
    nats,
    wire,
    dataDir,
    async start(changes) {
      const audit = await startAudit({ ...auditDeps(nats.url, dataDir), ...changes });
      onTestFinished(() => audit.stop());
      return audit;
    },
    async append(id, record) {
      const full = { g: 1, a: 1, l: 5, t: Date.now(), n: "etl.load", ...record };
      const stored = await wire.publish(
        names.state(QUEUE, id),
        encodeRecord(full),
        encodeHeaders([[HEADER.name, "etl.load"]]),
      );
      return stored.seq;
    },
    async back() {
      await until(() => link.state().kind === "connected");
      const info = `$JS.API.STREAM.INFO.${names.stream.state}`;
      await until(() => wire.api(info, undefined).catch(() => null));
    },
    async live(id, more = {}) {
      const st = Date.now();
      await rig.append(id, { s: "running", w: "w1", m: 1, st, t: st });
      return rig.append(id, { s: "completed", w: "w1", st, du: 1, r: { ok: true }, ...more });
    },
  };
  return rig;
}
