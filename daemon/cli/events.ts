import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { FollowEvent, FollowFilter } from "../../shared/bus/client.ts";
import type { Context } from "./context.ts";
import type { Paint } from "./io.ts";
import { badUsage } from "./values.ts";
import { levelWords, statusWords } from "./words.ts";

interface Options {
  readonly kind?: string;
  readonly queue?: string;
  readonly task?: string;
  readonly run?: string;
  readonly subject?: string;
  readonly count?: number;
  readonly for?: number;
}

const KINDS: readonly FollowEvent["kind"][] = ["task", "system", "domain"];

/** Prints what happens, one line each, until Ctrl-C, `--count` or `--for`. */
export async function run(context: Context, _: unknown, options: Options): Promise<number> {
  const { io, json, paint } = context;
  const filter = toFilter(options);
  const client = await context.client();
  const full = new AbortController();
  const failed = new AbortController();
  let count = 0;
  const following = client.follow(
    filter,
    (event) => {
      if (full.signal.aborted) return;
      io.out(`${json ? JSON.stringify(event) : eventText(event, paint)}\n`);
      count += 1;
      if (count === options.count) full.abort();
    },
    (error) => failed.abort(error),
  );
  // The server has the subscriptions when it answers: what happens from here on is heard.
  await client.nc.flush();
  context.hint("Following; Ctrl-C ends.");
  const over = AbortSignal.any([io.stop, full.signal, failed.signal]);
  const late = options.for === undefined ? [] : [sleep(options.for, undefined, { ref: true })];
  if (!over.aborted) await Promise.race([once(over, "abort"), ...late]);
  following.stop();
  if (failed.signal.aborted) throw failed.signal.reason;
  return 0;
}

function toFilter(options: Options): FollowFilter {
  const kinds = options.kind?.split(",").map((word) => {
    const kind = KINDS.find((known) => known === word);
    if (kind === undefined) throw badUsage(`${word} is no kind: ${KINDS.join(", ")}.`);
    return kind;
  });
  const { queue, task, run: runId, subject } = options;
  return { kinds, queue, taskId: task, runId, subject };
}

/** `12:03:05.120  etl.load t1  running  attempt 1, level 5 Normal`. */
export function eventText(event: FollowEvent, paint: Paint): string {
  const time = paint("gray", event.at.slice(11, 23));
  if (event.kind === "domain") return `${time}  ${event.subject}  ${JSON.stringify(event.data)}`;
  if (event.kind === "system") return `${time}  ${event.event}  ${JSON.stringify(event.data)}`;
  const { record } = event;
  const words = [
    `attempt ${record.a}`,
    `level ${levelWords(record.l)}`,
    record.act === undefined
      ? null
      : `${record.act}${record.by === undefined ? "" : ` by ${record.by}`}`,
    record.why === undefined ? null : `“${record.why}”`,
    record.e === undefined ? null : paint("red", record.e.message),
  ].filter((word) => word !== null);
  const name = record.n ?? event.queue;
  return `${time}  ${name} ${event.taskId}  ${statusWords(event.status, paint)}  ${words.join(", ")}`;
}
