import { connect } from "../../daemon/sdk.ts";
import { makeJob } from "./job.ts";
import * as adapter from "./peer-adapter.ts";
import type { Queue, SystemKind } from "./system.ts";

interface Conn {
  readonly dataDir: string;
}

const BATCH = 1000;

/** The product: its daemon with the default settings (or those of the strict profile), without worker pools of its own. */
export const msgsys: SystemKind = {
  async start(variant) {
    const server = await adapter.start(variant);
    const { dataDir } = server.conn;
    const client = await connect({ dataDir });
    const { nats } = await client.status();
    await client.close();
    return {
      conn: server.conn,
      pids: { daemon: server.pid, nats: nats.pid ?? 0 },
      open: (queue) => openQueue(server.conn, queue),
      // Loaded late: SQLite would count in the memory of the worker process.
      check: async () => (await import("./check.ts")).readCheck(dataDir),
      stop: () => server.stop(),
    };
  },
  work: (conn, { queue }, handler) =>
    adapter.process(conn as Conn, { queue }, handler as (job: unknown) => unknown),
};

async function openQueue(conn: Conn, queue: string): Promise<Queue> {
  const opened = (await adapter.open(conn, { queue })) as Omit<Queue, "fill" | "move">;
  const client = await connect({ dataDir: conn.dataDir });
  return {
    ...opened,
    async fill(levels) {
      const ids: string[] = [];
      for (let k = 0; k < levels.length; k += BATCH) {
        const outcomes = await client.enqueueMany(
          levels.slice(k, k + BATCH).map((priority, j) => ({
            task: `${queue}.job`,
            input: makeJob(k + j),
            priority,
          })),
        );
        for (const outcome of outcomes) {
          if ("error" in outcome) throw outcome.error;
          ids.push(outcome.id);
        }
      }
      return ids;
    },
    async move(id, level) {
      await client.escalate(id, level, "benchmark");
      return id;
    },
    async close() {
      await opened.close();
      await client.close();
    },
  };
}
