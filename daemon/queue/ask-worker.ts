import { nuid } from "@nats-io/nuid";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Names } from "../../shared/subjects.ts";
import type { Order, OrderReply } from "../worker/protocol.ts";

/**
 * Gives an order to one worker and answers what it says. The answer comes on a subject below the order's: a worker may not
 * publish into the daemon's inbox, where it could pass itself off as the broker. Rejects when none comes in time.
 */
export async function askWorker(
  deps: { readonly nc: NatsConnection; readonly names: Names },
  workerId: string,
  order: Order,
  timeoutMs: number,
): Promise<OrderReply> {
  const subject = deps.names.order(workerId);
  const reply = await deps.nc.request(subject, JSON.stringify(order), {
    timeout: timeoutMs,
    noMux: true,
    reply: `${subject}.answer.${nuid.next()}`,
  });
  return reply.json<OrderReply>();
}
