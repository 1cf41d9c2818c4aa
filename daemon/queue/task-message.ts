import type { Msg } from "@nats-io/transport-node";
import { HEADER, type Names } from "../../shared/subjects.ts";
import type { RunDescriptor } from "../../shared/task.ts";
import type { Delivered } from "./claim.ts";

/** A task message as a worker holds it: delivered, not acknowledged yet. */
export interface TaskMessage extends Delivered {
  readonly id: string;
  readonly queue: string;
  readonly level: number;
  /** Sequence in the task stream. */
  readonly seq: number;
  /** When the server stored it, epoch ms. */
  readonly storedAt: number;
  readonly name: string;
  /** Subject that takes the acknowledgement. */
  readonly ack: string;
  readonly msg: Msg;
}

/**
 * The server's numbers in an acknowledgement subject:
 * `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<stored ns>.<pending>[.<token>]`.
 */
export function parseAck(
  subject: string,
): { deliveries: number; seq: number; storedAt: number } | null {
  const parts = subject.split(".");
  if (parts[0] !== "$JS" || parts[1] !== "ACK") return null;
  const at = parts.length >= 11 ? 6 : 4;
  const deliveries = Number(parts[at]);
  const seq = Number(parts[at + 1]);
  const ns = parts[at + 3];
  if (!deliveries || !seq || ns === undefined) return null;
  return { deliveries, seq, storedAt: Number(ns.slice(0, -6)) };
}

/** Null when the message is not on a task subject at all. Headers are read here once. */
export function toTaskMessage(names: Names, msg: Msg, nowMs: number): TaskMessage | null {
  const where = names.parseTask(msg.subject);
  const ack = msg.reply === undefined ? null : parseAck(msg.reply);
  if (where === null || ack === null || msg.reply === undefined) return null;
  const headers = msg.headers;
  const generation = headers?.has(HEADER.generation) ? Number(headers.get(HEADER.generation)) : 1;
  return {
    id: where.taskId,
    queue: where.queue,
    level: where.level,
    generation: Number.isInteger(generation) && generation > 0 ? generation : 1,
    deliveries: ack.deliveries,
    seq: ack.seq,
    storedAt: ack.storedAt,
    ageMs: Math.max(0, nowMs - ack.storedAt),
    journaled: headers?.has(HEADER.journaled) === true,
    name: headers?.get(HEADER.name) ?? "",
    ack: msg.reply,
    msg,
  };
}

/** Parses the run that a message belongs to; null when it names none or a malformed one. */
export function parseRun(text: string | undefined): RunDescriptor | null {
  if (!text) return null;
  try {
    const run = JSON.parse(text) as RunDescriptor;
    return typeof run.id === "string" && Array.isArray(run.phases) ? run : null;
  } catch {
    // Ignored: a malformed run header makes the task one without a run; the handler's own input is untouched.
    return null;
  }
}

/** Headers of the original that a copy keeps; generation and message id are the copy's own. */
const KEPT_HEADERS = [
  HEADER.name,
  HEADER.correlation,
  HEADER.trace,
  HEADER.category,
  HEADER.phase,
  HEADER.run,
  HEADER.enqueued,
  HEADER.by,
] as const;

/** Header lines of the copy of generation `generation` of a task. */
export function copyHeaders(
  original: { get(name: string): string | undefined },
  taskId: string,
  generation: number,
): [string, string][] {
  const pairs: [string, string][] = [[HEADER.msgId, `${taskId}:${generation}`]];
  if (generation > 1) pairs.push([HEADER.generation, String(generation)]);
  for (const name of KEPT_HEADERS) {
    const value = original.get(name);
    if (value) pairs.push([name, value]);
  }
  return pairs;
}
