import { join } from "node:path";
import { connectNats } from "../../daemon/nats/connect.ts";
import { readSeed } from "../../daemon/nats/keys.ts";
import { inboxPrefixOf } from "../../daemon/nats/permissions.ts";
import { streamState } from "../../daemon/nats/streams.ts";
import { createWire, encodeHeaders, type Wire } from "../../daemon/nats/wire.ts";
import { createJournal, type Journal } from "../../daemon/queue/journal.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { createNames, HEADER, type Names } from "../../shared/subjects.ts";
import type { TestDaemon } from "./daemon.ts";

/** Hands on the broker itself, with the daemon's own rights: to look at what is there, and to break it. */
export interface Injector {
  readonly wire: Wire;
  readonly names: Names;
  readonly journal: Journal;
  /** Puts a message into the task stream as a stray copy would lie there; answers its sequence. */
  putTask(task: {
    id: string;
    name: string;
    queue?: string;
    level?: number;
    generation?: number;
    data: string;
  }): Promise<number>;
  /** How many messages a task has in the task stream, at any level. */
  messagesOf(id: string): Promise<number>;
  /** Whether the journal holds no record of the task any more. */
  isPurged(queue: string, id: string): Promise<boolean>;
  /** The sequence of the newest message of a stream. */
  lastSeq(stream: string): Promise<number>;
  close(): Promise<void>;
}

export async function inject(daemon: TestDaemon): Promise<Injector> {
  const seedPath = join(daemon.dataDir, DATA_FILES.keys, "daemon.nk");
  const { seed } = await readSeed(seedPath, "daemon");
  const lease = daemon.lease();
  if (lease === null) throw new Error("the daemon is not there");
  const inboxPrefix = inboxPrefixOf("daemon");
  const link = await connectNats({ servers: lease.natsUrl, seed, name: "injector", inboxPrefix });
  const names = createNames(lease.prefix);
  const wire = createWire(link.nc, { inbox: `${inboxPrefix}.injector${process.pid}` });
  const journal = createJournal({ wire, names });
  const subjects = async (filter: string): Promise<Record<string, number>> => {
    const info = await wire.api<{ state: { subjects?: Record<string, number> } }>(
      `$JS.API.STREAM.INFO.${names.stream.tasks}`,
      { subjects_filter: filter },
    );
    return info.state.subjects ?? {};
  };
  return {
    wire,
    names,
    journal,
    async putTask({ id, name, queue = "test", level = 5, generation = 1, data }) {
      const headers: [string, string][] = [[HEADER.name, name]];
      if (generation > 1) headers.push([HEADER.generation, String(generation)]);
      const subject = names.task(level, queue, id);
      return (await wire.publish(subject, data, encodeHeaders(headers))).seq;
    },
    async messagesOf(id) {
      const found = await subjects(`${names.prefix}.task.*.*.${id}`);
      return Object.values(found).reduce((sum, count) => sum + count, 0);
    },
    isPurged: async (queue, id) => (await journal.read(queue, id)) === null,
    lastSeq: async (stream) => (await streamState(wire, stream)).lastSeq,
    async close() {
      wire.close();
      await link.drain();
    },
  };
}
