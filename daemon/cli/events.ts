import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { FollowEvent, FollowFilter, ReplayOptions } from "../../shared/bus/client.ts";
import { kindsOf } from "../../shared/bus/follow.ts";
import type { Context } from "./context.ts";
import type { Paint } from "./io.ts";
import { badUsage, parseSince } from "./values.ts";
import { levelWords, statusWords } from "./words.ts";

interface Options {
  readonly kind?: string;
  readonly queue?: string;
  readonly task?: string;
  readonly run?: string;
  readonly subject?: string;
  readonly count?: number;
  readonly for?: number;
  readonly since?: string;
  readonly from?: number;
  readonly replay?: boolean;
  readonly follow?: boolean;
}

const KINDS: readonly FollowEvent["kind"][] = ["task", "system", "domain"];

/** Prints what happens, one line each, until Ctrl-C, `--count` or `--for`; before it, or alone, what is kept. */
export async function run(context: Context, _: unknown, options: Options): Promise<number> {
  const { io, json, paint } = context;
  const filter = toFilter(options);
  const kept = toReplay(options, filter, io.now());
  const client = await context.client();
  const full = new AbortController();
  const failed = new AbortController();
  let count = 0;
  const tell = (event: FollowEvent): void => {
    if (full.signal.aborted) return;
    io.out(`${json ? JSON.stringify(event) : eventText(event, paint)}\n`);
    count += 1;
    if (count === options.count) full.abort();
  };
  const over = AbortSignal.any([io.stop, full.signal, failed.signal]);
  if (kept === null) {
    const following = client.follow(filter, tell, (error) => failed.abort(error));
    // The server has the subscriptions when it answers: what happens from here on is heard.
    await client.nc.flush();
    context.hint("Following; Ctrl-C ends.");
    await overOrLate(over, options.for);
    following.stop();
  } else {
    context.hint(replayHint(kept, filter));
    const late = options.for === undefined ? [] : [AbortSignal.timeout(options.for)];
    const signal = AbortSignal.any([over, ...late]);
    await client.replay(filter, { ...kept, signal }, tell);
  }
  if (failed.signal.aborted) throw failed.signal.reason;
  return 0;
}

async function overOrLate(over: AbortSignal, afterMs: number | undefined): Promise<void> {
  const late = afterMs === undefined ? [] : [sleep(afterMs, undefined, { ref: true })];
  if (!over.aborted) await Promise.race([once(over, "abort"), ...late]);
}

type Kept = Omit<ReplayOptions, "signal">;

/** What to read back; null: nothing. Throws `bad-usage` for words that do not go together. */
function toReplay(options: Options, filter: FollowFilter, nowMs: number): Kept | null {
  const { since, from, replay = false, follow = false } = options;
  if (since === undefined && from === undefined && !replay) return null;
  if (since !== undefined && from !== undefined) throw badUsage("Choose either --since or --from.");
  if (replay && follow) throw badUsage("--replay ends with what is kept; leave it out to follow.");
  if (from !== undefined && !kindsOf(filter).some((kind) => kind !== "task"))
    throw badUsage("--from counts in the stream of events, which has no tasks: use --since.");
  return {
    from,
    since: since === undefined ? undefined : parseSince(since, nowMs),
    follow: !replay,
  };
}

function replayHint({ since, from, follow }: Kept, filter: FollowFilter): string {
  const begin =
    since !== undefined
      ? `since ${new Date(since).toISOString()}`
      : `from ${from === undefined ? "the oldest that is kept" : `sequence ${from}`}`;
  const without =
    from !== undefined && kindsOf(filter).includes("task") ? ", without journals of tasks" : "";
  return `Replaying ${begin}${without}${follow ? ", then following; Ctrl-C ends." : "."}`;
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
