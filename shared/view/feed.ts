import type { FeedBatch, FeedRow } from "./messages.ts";
import type { RowDraft } from "./rows.ts";

/** Time between two batches, and the most that one carries. */
export const BATCH_MS = 100;
const BATCH_ROWS = 200;
/** Rows that wait for a view that is slow. */
const RING_ROWS = 2000;
/** Batches that may be on their way unacknowledged. */
const CREDIT = 2;
/** Above this many rows a second, those that may be left out are. More than this nobody reads, and drawing it costs. */
const SAMPLE_ABOVE_PER_S = 200;
const PACE_MS = 1000;

/** The feed's rows on their way to one view. Pure: instants (epoch ms) come in as arguments, and never go back. */
export interface Feed {
  /** Forgets what waits and begins anew; the numbers of rows and batches go on. */
  open(): void;
  close(): void;
  readonly isOpen: boolean;
  hear(draft: RowDraft, now: number): void;
  /** Up to this batch the view has drawn everything. A number that was never sent is ignored. */
  ack(batch: number): void;
  /** The next batch; null when there is nothing new to say, or no credit. */
  take(now: number): FeedBatch | null;
  /** Whether `take` may have something to say later, without anything being heard until then. */
  isBusy(now: number): boolean;
}

type Pending = { row: FeedRow; readonly isKept: boolean; readonly joinKey: string | null };

export function createFeed(): Feed {
  let isOpen = false;
  let seq = 0;
  let sent = 0;
  let acked = 0;
  let pending: Pending[] = [];
  const joinable = new Map<string, Pending>();
  let sampledOut = 0;
  let dropped = 0;
  let toldDropped = 0;
  let toldPace = 0;
  let lastAt: number | null = null;
  let tokens = SAMPLE_ABOVE_PER_S;
  let filledAt = 0;
  const pace = createPace();

  /** Whether a row that may be left out still fits below the rate; rows that are kept count as well. */
  function admit(isKept: boolean, now: number): boolean {
    const since = Math.max(0, now - filledAt);
    tokens = Math.min(SAMPLE_ABOVE_PER_S, tokens + (since / PACE_MS) * SAMPLE_ABOVE_PER_S);
    filledAt = now;
    if (tokens < 1) return isKept;
    tokens -= 1;
    return true;
  }

  function join(draft: RowDraft): boolean {
    const same = draft.joinKey === null ? undefined : joinable.get(draft.joinKey);
    if (same === undefined) return false;
    same.row = { ...same.row, text: draft.text, times: same.row.times + 1 };
    return true;
  }

  /**
   * Makes room: the oldest row that may be left out goes first, and only without one the oldest of all, but never for a row
   * that may be left out itself. False: there is no room for it.
   */
  function makeRoom(isKept: boolean): boolean {
    if (pending.length < RING_ROWS) return true;
    const plain = pending.findIndex((one) => !one.isKept);
    if (plain === -1 && !isKept) return false;
    const [gone] = pending.splice(Math.max(0, plain), 1);
    dropped += gone?.row.times ?? 0;
    if (gone !== undefined && gone.joinKey !== null) joinable.delete(gone.joinKey);
    return true;
  }

  return {
    get isOpen() {
      return isOpen;
    },
    open() {
      isOpen = true;
      pending = [];
      joinable.clear();
      acked = sent;
      sampledOut = 0;
      dropped = 0;
      toldDropped = 0;
      toldPace = -1;
    },
    close() {
      isOpen = false;
      pending = [];
      joinable.clear();
    },
    hear(draft, now) {
      if (!isOpen) return;
      pace.count(now);
      lastAt = now;
      if (join(draft)) return;
      seq += 1;
      if (!admit(draft.isKept, now)) {
        sampledOut += 1;
        return;
      }
      if (!makeRoom(draft.isKept)) {
        dropped += 1;
        return;
      }
      const { isKept, joinKey, ...row } = draft;
      const one: Pending = { row: { ...row, seq, times: 1 }, isKept, joinKey };
      pending.push(one);
      if (joinKey !== null) joinable.set(joinKey, one);
    },
    ack(batch) {
      if (batch > acked && batch <= sent) acked = batch;
    },
    take(now) {
      if (!isOpen || sent - acked >= CREDIT) return null;
      const perSecond = pace.read(now);
      const news = pending.length > 0 || sampledOut > 0 || dropped !== toldDropped;
      if (!news && perSecond === toldPace) return null;
      const taken = pending.splice(0, BATCH_ROWS);
      for (const { joinKey } of taken) if (joinKey !== null) joinable.delete(joinKey);
      sent += 1;
      const rows = inOrderOfTime(taken.map(({ row }) => row));
      const batch = { batch: sent, rows, sampledOut, dropped, perSecond, lastAt };
      sampledOut = 0;
      toldDropped = dropped;
      toldPace = perSecond;
      return batch;
    },
    isBusy: (now) =>
      isOpen &&
      sent - acked < CREDIT &&
      (pending.length > 0 ||
        sampledOut > 0 ||
        dropped !== toldDropped ||
        // The pace falls by itself when nothing is heard any more.
        toldPace > 0 ||
        pace.read(now) > 0),
  };
}

/** Sources are heard at different delays: within a batch the rows stand as things happened. The numbers stay ascending. */
function inOrderOfTime(rows: readonly FeedRow[]): readonly FeedRow[] {
  const sorted = rows.toSorted((a, b) => a.at - b.at);
  return sorted.map((row, i) => ({ ...row, seq: rows[i]?.seq ?? row.seq }));
}

const SLOTS = 10;

/** Counts over the last second, in tenths. */
function createPace(): { count(now: number): void; read(now: number): number } {
  const counts = new Array<number>(SLOTS).fill(0);
  const starts = new Array<number>(SLOTS).fill(-1);
  const slotOf = (now: number): number => Math.floor(now / (PACE_MS / SLOTS));
  return {
    count(now) {
      const slot = slotOf(now);
      const at = slot % SLOTS;
      if (starts[at] !== slot) {
        starts[at] = slot;
        counts[at] = 0;
      }
      counts[at] = (counts[at] ?? 0) + 1;
    },
    read(now) {
      const oldest = slotOf(now) - SLOTS;
      return counts.reduce((sum, n, at) => sum + ((starts[at] ?? -1) > oldest ? n : 0), 0);
    },
  };
}
