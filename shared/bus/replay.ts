import type { KeptEvent, RequestOf, ResponseOf } from "../control.ts";
import { ERRORS, fromUnknown } from "../errors.ts";
import type { Names } from "../subjects.ts";
import {
  domainSubject,
  type FollowEvent,
  type FollowFilter,
  follow,
  kindsOf,
  readDomain,
  readSystem,
  readTask,
  systemSubject,
} from "./follow.ts";
import type { Bus } from "./request.ts";

export interface ReplayOptions {
  /** What was stored at this instant or later, epoch ms. */
  readonly since?: number | undefined;
  /** Instead: from this sequence of the stream of events. Journals of tasks have none of it, so they are left out. */
  readonly from?: number | undefined;
  /** Goes on with what happens from now on, without a gap and without a repeat; else it ends with what is kept. */
  readonly follow: boolean;
  /** Ends the replay; the promise resolves. */
  readonly signal: AbortSignal;
}

export interface ReplayDeps {
  readonly nc: Bus;
  readonly names: Names;
  now(): number;
  /** The verb `events`. */
  ask(request: RequestOf<"events">): Promise<ResponseOf["events"]>;
}

/** One stream of what is kept, read page by page. */
interface Source {
  readonly of: "events" | "tasks";
  readonly subject: string;
  read(kept: KeptEvent): FollowEvent | null;
  /** Where the next page begins. */
  start: { readonly from: number } | { readonly since: number };
  /** Read and not told yet, the oldest first. */
  waiting: { readonly event: FollowEvent; readonly storedAt: string; readonly seq: number }[];
  more: boolean;
}

const PAGE = 200;
/** What is told live only rings a bell, and may be missed: it is asked again at this pace. */
const LOOK_AGAIN_MS = 2000;
/** A subscriber may hear a message a moment before the stream has it. */
const LOOK_TWICE_MS = 100;

/**
 * Calls back for everything that is kept since a time or sequence, in the order it was stored, and with `follow` for what
 * comes after it. It is read from the streams by sequence throughout: what happens live only says when to look.
 * Rejects as the requests do; a daemon that restarts meanwhile is waited for.
 */
export async function replay(
  deps: ReplayDeps,
  filter: FollowFilter,
  options: ReplayOptions,
  callback: (event: FollowEvent) => void,
): Promise<void> {
  const sources = sourcesOf(deps.names, filter, options);
  const bell = options.follow ? createBell(deps, filter, options.signal) : null;
  try {
    await tellKept(deps, sources, options.signal, callback);
    while (bell !== null && !options.signal.aborted) {
      await bell.rung();
      for (const source of sources) source.more = true;
      await tellKept(deps, sources, options.signal, callback).catch((error: unknown) => {
        if (!ERRORS[fromUnknown(error).code].retryable) throw error;
      });
    }
  } finally {
    bell?.stop();
  }
}

function sourcesOf(names: Names, filter: FollowFilter, { since, from }: ReplayOptions): Source[] {
  const kinds = kindsOf(filter);
  const start = since === undefined ? { from: from ?? 1 } : { since };
  const source = (of: Source["of"], subject: string, read: Source["read"]): Source => ({
    ...{ of, subject, read, start },
    waiting: [],
    more: true,
  });
  const { queue = "*", taskId = "*" } = filter;
  const sources: Source[] = [];
  if (kinds.includes("task") && from === undefined)
    sources.push(
      source("tasks", names.state(queue, taskId), ({ subject, data }) =>
        data === null ? null : readTask(filter, names.parseState(subject), data),
      ),
    );
  if (kinds.includes("system"))
    sources.push(
      source("events", systemSubject(names, filter), ({ subject, data, at, seq }) => ({
        ...readSystem(names, subject, textOf(data), at),
        seq,
      })),
    );
  if (kinds.includes("domain"))
    sources.push(
      source("events", domainSubject(filter), ({ subject, data, at, seq }) => ({
        ...readDomain(subject, textOf(data), at),
        seq,
      })),
    );
  return sources;
}

function textOf(data: string | null): string {
  return data ?? "(too large to be told)";
}

/** Tells everything that the sources hold now, merged by the time it was stored. */
async function tellKept(
  deps: ReplayDeps,
  sources: readonly Source[],
  signal: AbortSignal,
  callback: (event: FollowEvent) => void,
): Promise<void> {
  for (;;) {
    for (const source of sources)
      while (source.waiting.length === 0 && source.more && !signal.aborted)
        await readPage(deps, source);
    const next = oldestOf(sources);
    if (signal.aborted || next === undefined) return;
    callback(next.event);
  }
}

async function readPage({ ask }: ReplayDeps, source: Source): Promise<void> {
  const { of, subject, start } = source;
  const { events, more } = await ask({ of, subject, limit: PAGE, ...start });
  for (const kept of events) {
    source.start = { from: kept.seq + 1 };
    const event = source.read(kept);
    if (event !== null) source.waiting.push({ event, storedAt: kept.at, seq: kept.seq });
  }
  source.more = more;
}

function oldestOf(sources: readonly Source[]): Source["waiting"][number] | undefined {
  let oldest: Source | undefined;
  for (const source of sources) {
    const [mine] = source.waiting;
    const [best] = oldest?.waiting ?? [];
    if (mine === undefined) continue;
    const earlier =
      best === undefined ||
      mine.storedAt < best.storedAt ||
      (mine.storedAt === best.storedAt && mine.seq < best.seq);
    if (earlier) oldest = source;
  }
  return oldest?.waiting.shift();
}

/** Rings when something happens that fits, and from time to time. */
function createBell(
  deps: ReplayDeps,
  filter: FollowFilter,
  signal: AbortSignal,
): { rung(): Promise<void>; stop(): void } {
  let ringing = false;
  let wake = (): void => {};
  let refused: Error | null = null;
  const ring = (): void => {
    ringing = true;
    wake();
  };
  let second: ReturnType<typeof setTimeout> | undefined;
  const heard = (): void => {
    ring();
    clearTimeout(second);
    second = setTimeout(ring, LOOK_TWICE_MS);
  };
  const following = follow(deps, filter, heard, (error) => {
    refused = error;
    ring();
  });
  const pace = setInterval(ring, LOOK_AGAIN_MS);
  signal.addEventListener("abort", ring);
  return {
    async rung() {
      if (!ringing) await new Promise<void>((resolve) => (wake = resolve));
      ringing = false;
      if (refused !== null) throw refused;
    },
    stop() {
      clearInterval(pace);
      clearTimeout(second);
      signal.removeEventListener("abort", ring);
      following.stop();
    },
  };
}
