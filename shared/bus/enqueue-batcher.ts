import type { EnqueueOutcome, ResponseOf } from "../control.ts";
import { AppError, fromUnknown, fromWire } from "../errors.ts";
import { utf8Bytes } from "./input-text.ts";

/** One task on its way: its JSON text as it stands in the request, and whom to tell. */
export interface BatchItem {
  readonly json: string;
  readonly level: number;
  resolve(outcome: EnqueueOutcome): void;
  reject(error: AppError): void;
}

export interface BatcherDeps {
  send(body: string, level: number): Promise<ResponseOf["enqueue"]>;
  /** Largest body of one request in bytes. */
  maxBytes(): number;
}

const MAX_BATCH_ITEMS = 1000;
const MAX_IN_FLIGHT = 4;

interface Batch {
  readonly items: BatchItem[];
  bytes: number;
  level: number;
}

/**
 * Gathers enqueues into requests. What is added in one turn of the event loop travels together, and so does what is
 * added while a request is on its way; a full batch leaves at once, up to four requests are on their way together.
 *
 * Levels 9 and 10 have lanes of their own: the subject names the highest level of a batch and the broker refuses the
 * whole request, so that a refused Critical must not take someone's Normal with it.
 */
export function createBatcher(deps: BatcherDeps): { add(item: BatchItem): void } {
  const lanes = new Map<number, ReturnType<typeof createLane>>();
  const laneOf = (level: number): ReturnType<typeof createLane> => {
    const key = Math.max(8, level);
    let lane = lanes.get(key);
    if (lane === undefined) {
      lane = createLane(deps, (item) => laneOf(item.level).add(item));
      lanes.set(key, lane);
    }
    return lane;
  };
  return { add: (item) => laneOf(item.level).add(item) };
}

function createLane(
  deps: BatcherDeps,
  again: (item: BatchItem) => void,
): { add(item: BatchItem): void } {
  const full: Batch[] = [];
  let open = emptyBatch();
  let inFlight = 0;
  let scheduled = false;

  function add(item: BatchItem): void {
    const bytes = utf8Bytes(item.json) + 1;
    if (open.items.length === MAX_BATCH_ITEMS || open.bytes + bytes > deps.maxBytes()) close();
    open.items.push(item);
    open.bytes += bytes;
    if (item.level > open.level) open.level = item.level;
    if (!scheduled) {
      scheduled = true;
      queueMicrotask(() => {
        scheduled = false;
        pump();
      });
    }
  }

  function close(): void {
    if (open.items.length > 0) full.push(open);
    open = emptyBatch();
  }

  function pump(): void {
    while (full.length > 0 && inFlight < MAX_IN_FLIGHT) launch(full.shift()!);
    if (inFlight > 0 || open.items.length === 0) return;
    close();
    launch(full.shift()!);
  }

  function launch(batch: Batch): void {
    inFlight += 1;
    void transmit(deps, batch, again).finally(() => {
      inFlight -= 1;
      pump();
    });
  }

  return { add };
}

function emptyBatch(): Batch {
  return { items: [], bytes: 25, level: 0 };
}

/** Sends one batch and tells every caller its own outcome. Never rejects. */
async function transmit(
  deps: BatcherDeps,
  batch: Batch,
  again: (item: BatchItem) => void,
): Promise<void> {
  const items = batch.items.map((item) => item.json).join(",");
  try {
    const { outcomes } = await sendTwice(deps, items, batch.level);
    batch.items.forEach((item, at) => {
      settle(item, outcomes[at], batch.level, again);
    });
  } catch (error) {
    const failure = fromUnknown(error).toWire();
    for (const item of batch.items) item.reject(fromWire(failure));
  }
}

/** Every item carries its id or key, so that asking again after a lost answer enqueues nothing twice. */
async function sendTwice(
  deps: BatcherDeps,
  items: string,
  level: number,
): Promise<ResponseOf["enqueue"]> {
  try {
    return await deps.send(`{"first":true,"items":[${items}]}`, level);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== "broker-unavailable") throw error;
    return deps.send(`{"items":[${items}]}`, level);
  }
}

function settle(
  item: BatchItem,
  outcome: ResponseOf["enqueue"]["outcomes"][number] | undefined,
  level: number,
  again: (item: BatchItem) => void,
): void {
  if (outcome === undefined) {
    item.reject(new AppError("internal", { what: "The answer has no outcome for a task." }));
  } else if (!("error" in outcome)) {
    item.resolve(outcome);
  } else {
    // The definition's default level, which only the daemon knows, was above the level that the subject named.
    const needed = outcome.error.details?.["level"];
    if (outcome.error.code === "not-permitted" && typeof needed === "number" && needed > level)
      again({ ...item, level: needed });
    else item.reject(fromWire(outcome.error));
  }
}
