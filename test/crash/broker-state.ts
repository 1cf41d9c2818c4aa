import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { nuid } from "@nats-io/nuid";
import { readLease } from "../../daemon/lifecycle/lease-file.ts";
import { connectNats } from "../../daemon/nats/connect.ts";
import { readSeed, seedFile } from "../../daemon/nats/keys.ts";
import { inboxPrefixOf } from "../../daemon/nats/permissions.ts";
import { streamState } from "../../daemon/nats/streams.ts";
import { createWire } from "../../daemon/nats/wire.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { createNames } from "../../shared/subjects.ts";
import { decodeRecord, type JournalRecord } from "../../shared/task.ts";

/** What the broker holds, read past the daemon. */
export interface BrokerState {
  /** Every journal record of every task in order. */
  readonly journals: ReadonlyMap<string, readonly JournalEntry[]>;
  readonly tasks: number;
  readonly due: number;
  readonly deadLetters: ReadonlySet<string>;
  /** What is left in the streams of waiting and delayed tasks: subjects. */
  readonly left: readonly string[];
}

export interface JournalEntry {
  readonly seq: number;
  readonly record: JournalRecord;
}

/** Reads it as the daemon's own user. */
export async function readBroker(dataDir: string): Promise<BrokerState> {
  const lease = readLease(dataDir);
  if (lease === null) throw new Error("no daemon tells where its broker is");
  const key = await readSeed(seedFile(join(dataDir, DATA_FILES.keys), "daemon"), "daemon");
  const link = await connectNats({
    servers: lease.natsUrl,
    seed: key.seed,
    name: "crash-harness",
    inboxPrefix: inboxPrefixOf("daemon"),
  });
  const names = createNames(lease.prefix);
  const wire = createWire(link.nc, { inbox: `${inboxPrefixOf("daemon")}.${nuid.next()}.r` });
  const subjectsOf = async (stream: string): Promise<string[]> => {
    const info = await wire.api<{ state: { subjects?: Record<string, number> } }>(
      `$JS.API.STREAM.INFO.${stream}`,
      { subjects_filter: ">" },
    );
    return Object.keys(info.state.subjects ?? {});
  };
  try {
    const journals = new Map<string, JournalEntry[]>();
    const { messages } = await streamState(wire, names.stream.state);
    if (messages > 0) {
      const consumer = await jetstream(link.nc).consumers.get(names.stream.state);
      for await (const m of await consumer.consume({ max_messages: 1000 })) {
        const taskId = names.parseState(m.subject)?.taskId ?? m.subject;
        const entries = journals.get(taskId) ?? [];
        if (entries.length === 0) journals.set(taskId, entries);
        entries.push({ seq: m.seq, record: decodeRecord(m.string()) });
        if (m.info.pending === 0) break;
      }
    }
    const [tasks, due] = [await subjectsOf(names.stream.tasks), await subjectsOf(names.stream.due)];
    const dead = await subjectsOf(names.stream.dead);
    return {
      journals,
      tasks: (await streamState(wire, names.stream.tasks)).messages,
      due: (await streamState(wire, names.stream.due)).messages,
      deadLetters: new Set(dead.map((subject) => subject.split(".")[3] ?? subject)),
      left: [...tasks, ...due].slice(0, 20),
    };
  } finally {
    wire.close();
    await link.drain();
  }
}
