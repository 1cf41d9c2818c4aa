import { batch, computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { RequestOf, ResponseOf } from "../../shared/control.ts";
import type { WireError } from "../../shared/errors.ts";
import type { Changed, ViewVerb } from "../../shared/view/messages.ts";
import type { Host, Outcome } from "../host.ts";
import { t } from "../ui/text.ts";

/** What a panel shows. `asOf` is when the data came, epoch ms. */
export type QueryState<T> =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly data: T; readonly asOf: number }
  /** Old data: there is no connection, the live data are switched off, or the last try failed. */
  | {
      readonly kind: "stale";
      readonly data: T;
      readonly asOf: number;
      readonly why: "offline" | "paused" | "failed";
      readonly error: WireError | null;
    }
  | { readonly kind: "error"; readonly error: WireError }
  | { readonly kind: "not-allowed"; readonly error: WireError };

export interface QueryOptions {
  /** Which changes make the answer old. Absent: none. */
  readonly refreshOn?: (changed: Changed) => boolean;
  /** Also ask this often, for what grows by time alone. */
  readonly everyMs?: number;
}

export interface Query<T> {
  readonly state: ReadonlySignal<QueryState<T>>;
  /** Asks now, also while the live data are switched off. */
  refetch(): void;
  /** Says that its user is gone; the answer is kept for a while, should somebody come back. */
  release(): void;
}

export interface QueryDeps {
  readonly request: Host["request"];
  readonly onChanged: (listener: (changed: Changed) => void) => () => void;
  readonly connection: ReadonlySignal<"connected" | "opening" | "down">;
  /** False: the live data are switched off. */
  readonly live: ReadonlySignal<boolean>;
  /** False: nobody can see the view. */
  readonly visible: ReadonlySignal<boolean>;
  readonly now: () => number;
}

/** Two answers of one query begin at least this far apart, however much changes. */
export const SPACING_MS = 500;
/** Answers without user that are kept, so that going back shows at once what was there. */
const KEPT = 40;

/** What the last answers brought: the newest good one, and the error when the newest was none. */
interface Held<T> {
  readonly data: T | undefined;
  readonly asOf: number;
  readonly error: WireError | null;
}

interface Entry {
  readonly ask: () => Promise<Outcome<unknown>>;
  readonly held: ReturnType<typeof signal<Held<unknown>>>;
  readonly state: ReadonlySignal<QueryState<unknown>>;
  readonly options: Set<QueryOptions>;
  /** Its answer is old and shall be asked anew as soon as that is allowed. */
  isDirty: boolean;
  isAsking: boolean;
  askedAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** What is shown of what is held. Pure. */
function showHeld<T>(
  held: Held<T>,
  connection: "connected" | "opening" | "down",
  live: boolean,
): QueryState<T> {
  const { data, asOf, error } = held;
  if (error?.code === "not-permitted") return { kind: "not-allowed", error };
  if (data === undefined) {
    if (error !== null) return { kind: "error", error };
    return connection === "down" ? { kind: "error", error: notConnected() } : { kind: "loading" };
  }
  if (connection !== "connected") return { kind: "stale", data, asOf, why: "offline", error: null };
  if (error !== null) return { kind: "stale", data, asOf, why: "failed", error };
  if (!live) return { kind: "stale", data, asOf, why: "paused", error: null };
  return { kind: "ready", data, asOf };
}

function notConnected(): WireError {
  return {
    code: "connection-lost",
    message: t("There is no connection to the daemon."),
    hint: t("This shows up as soon as there is one."),
  };
}

export interface Queries {
  /** The shared query of a verb with a body: whoever asks the same gets the same answer. */
  watch<V extends ViewVerb>(
    verb: V,
    body: RequestOf<V>,
    options?: QueryOptions,
  ): Query<ResponseOf[V]>;
  /** Makes every answer old, after an act of the user for example. */
  refreshAll(): void;
  stop(): void;
}

export function createQueries(deps: QueryDeps): Queries {
  const entries = new Map<string, Entry>();
  const isUsed = (entry: Entry): boolean => entry.options.size > 0;

  function markDirty(entry: Entry): void {
    entry.isDirty = true;
    pursue(entry);
  }

  /** Asks when it may: used, seen, connected, live (or never answered), not too soon after the last time. */
  function pursue(entry: Entry): void {
    if (!entry.isDirty || entry.isAsking || entry.timer !== undefined || !isUsed(entry)) return;
    const isFirst = entry.held.peek()?.data === undefined;
    if (deps.connection.peek() !== "connected" || !deps.visible.peek()) return;
    if (!deps.live.peek() && !isFirst) return;
    const waitMs = entry.askedAt + SPACING_MS - deps.now();
    if (waitMs <= 0) return void askNow(entry);
    entry.timer = setTimeout(() => {
      entry.timer = undefined;
      pursue(entry);
    }, waitMs);
  }

  async function askNow(entry: Entry): Promise<void> {
    entry.isDirty = false;
    entry.isAsking = true;
    entry.askedAt = deps.now();
    const outcome = await entry.ask();
    entry.isAsking = false;
    batch(() => {
      const held = entry.held.peek()!;
      entry.held.value = outcome.ok
        ? { data: outcome.value, asOf: deps.now(), error: null }
        : { ...held, error: outcome.error };
    });
    // What the connection took away is asked again when it is back.
    if (!outcome.ok && outcome.error.code === "connection-lost") entry.isDirty = true;
    pursue(entry);
  }

  function create(verb: ViewVerb, body: RequestOf<ViewVerb>): Entry {
    const held = signal<Held<unknown>>({ data: undefined, asOf: 0, error: null });
    return {
      ask: () => deps.request(verb, body as never),
      held: held as Entry["held"],
      state: computed(() => showHeld(held.value, deps.connection.value, deps.live.value)),
      options: new Set(),
      isDirty: true,
      isAsking: false,
      askedAt: Number.NEGATIVE_INFINITY,
      timer: undefined,
    };
  }

  function forgetOld(): void {
    const idle = [...entries].filter(([, entry]) => !isUsed(entry) && !entry.isAsking);
    for (const [name] of idle.slice(0, Math.max(0, idle.length - KEPT))) entries.delete(name);
  }

  const stopChanged = deps.onChanged((changed) => {
    for (const entry of entries.values()) {
      const isOld = [...entry.options].some((o) => o.refreshOn?.(changed) === true);
      // What nobody looks at cannot tell; it is asked anew when somebody does.
      if (isOld) markDirty(entry);
    }
  });
  const stopGates = effect(() => {
    const open = deps.connection.value === "connected" && deps.visible.value && deps.live.value;
    // Whatever happened meanwhile was not told: all is old.
    if (open) untracked(() => entries.forEach(markDirty));
    else untracked(() => entries.forEach(pursue));
  });

  return {
    watch(verb, body, options = {}) {
      const name = `${verb} ${JSON.stringify(body)}`;
      const entry = entries.get(name) ?? create(verb, body);
      // To the end: the map is in the order of last use.
      entries.delete(name);
      entries.set(name, entry);
      const mine = { ...options };
      const wasUsed = isUsed(entry);
      entry.options.add(mine);
      if (wasUsed) pursue(entry);
      else markDirty(entry);
      const ticker =
        mine.everyMs === undefined ? undefined : setInterval(() => markDirty(entry), mine.everyMs);
      return {
        state: entry.state as ReadonlySignal<QueryState<never>>,
        refetch: () => {
          entry.isDirty = true;
          if (!entry.isAsking && deps.connection.peek() === "connected") void askNow(entry);
        },
        release: () => {
          clearInterval(ticker);
          entry.options.delete(mine);
          forgetOld();
        },
      };
    },
    refreshAll: () => entries.forEach(markDirty),
    stop() {
      stopChanged();
      stopGates();
      for (const entry of entries.values()) clearTimeout(entry.timer);
    },
  };
}

/** The data of a state, also old ones; null when there are none. */
export function dataOf<T>(state: QueryState<T>): T | null {
  return "data" in state ? state.data : null;
}

/** Predicates for `refreshOn`. `tasks: null` means that anything may have changed. */
export const onAnyTask = (changed: Changed): boolean =>
  changed.tasks === null || changed.tasks.length > 0 || changed.queues;
export const onQueues = (changed: Changed): boolean => changed.queues;
export const onDead = (changed: Changed): boolean => changed.dead || changed.tasks === null;
export const onRuns = (changed: Changed): boolean =>
  changed.runs.length > 0 || changed.tasks === null;
export const onTask =
  (id: string) =>
  (changed: Changed): boolean =>
    changed.tasks === null || changed.tasks.includes(id);
export const onRun =
  (id: string) =>
  (changed: Changed): boolean =>
    changed.tasks === null || changed.runs.includes(id);
