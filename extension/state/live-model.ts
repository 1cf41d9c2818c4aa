import type { Client } from "../../shared/bus/client.ts";
import type { FollowEvent } from "../../shared/bus/follow.ts";
import { type AppError, fromUnknown } from "../../shared/errors.ts";
import { createSource, type Observable } from "../observable.ts";
import type { WorkSource } from "./work-source.ts";

/** What a view shows, and how far it can be believed. */
export interface Seen<T> {
  /** Null: nothing was asked yet. */
  readonly value: T | null;
  /** Epoch ms of the last answer; null: none yet. */
  readonly asOf: number | null;
  /** There is no connection: what is shown may have changed. */
  readonly isStale: boolean;
  /** Why the last question failed; null when it was answered. */
  readonly error: AppError | null;
}

/**
 * A value that is asked for in whole and kept up by what happens in between. It asks at most four times a second, no more
 * than a fifth of the time, and only while somebody looks: then the first look finds what it missed.
 */
export interface LiveModel<T> extends Observable<Seen<T>> {
  /** Who looks; nothing is asked for while nobody does. */
  setVisible(visible: boolean): void;
  /** Asks anew, whether anything happened or not. Resolves when the answer is there, or the question failed. */
  refresh(): Promise<void>;
  dispose(): void;
}

export interface LiveModelDeps<T> {
  readonly source: WorkSource;
  load(client: Client): Promise<Loaded<T>>;
  /** The value after an event; the same object when the event changes nothing of it. */
  reduce(value: T, event: FollowEvent): T;
  /** What a new answer keeps of the value before, because no answer has it. */
  carry?(before: T, loaded: T): T;
  /** Whether the event changes something that only a new answer tells. */
  concerns(event: FollowEvent): boolean;
  readonly now?: () => number;
}

export interface Loaded<T> {
  readonly value: T;
  /** The daemon has not written down everything yet: ask again soon. */
  readonly isBehind: boolean;
}

/** Time between two answers, and between two changes by events. */
const LEAST_GAP_MS = 250;
/** So many times as long as the last answer took passes before the next question. */
const REST = 4;
const RETRY_MS = 5000;

export function createLiveModel<T>(deps: LiveModelDeps<T>): LiveModel<T> {
  const { source, now = Date.now } = deps;
  const seen = createSource<Seen<T>>({ value: null, asOf: null, isStale: true, error: null });
  let isVisible = false;
  let isDirty = true;
  let loading: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let notBefore = 0;
  /** The value with the events of the last moments, which is told when the moment is over. */
  let pending: T | null = null;
  let pendingTimer: ReturnType<typeof setTimeout> | null = null;
  /** What was heard while the answer was on its way: it may be newer. */
  let during: FollowEvent[] = [];

  function set(part: Partial<Seen<T>>): void {
    seen.set({ ...seen.get(), ...part });
  }

  function tellPending(): void {
    pendingTimer = null;
    if (pending !== null) set({ value: pending });
    pending = null;
  }

  function heard(event: FollowEvent): void {
    if (!isVisible || deps.concerns(event)) isDirty = true;
    if (!isVisible) return;
    if (loading !== null && during.length < 1000) during.push(event);
    const value = pending ?? seen.get().value;
    const next = value === null ? null : deps.reduce(value, event);
    if (next !== null && next !== value) {
      pending = next;
      pendingTimer ??= setTimeout(tellPending, LEAST_GAP_MS);
    }
    schedule();
  }

  function schedule(): void {
    if (!isVisible || !isDirty || loading !== null || timer !== null) return;
    if (source.client() === null) return;
    timer = setTimeout(
      () => {
        timer = null;
        void load();
      },
      Math.max(0, notBefore - now()),
    );
  }

  function load(): Promise<void> {
    loading ??= ask().finally(() => {
      loading = null;
      schedule();
    });
    return loading;
  }

  async function ask(): Promise<void> {
    const client = source.client();
    if (client === null) return;
    const startedAt = now();
    isDirty = false;
    during = [];
    try {
      const answer = await deps.load(client);
      // Another daemon meanwhile: this answer is of the one before.
      if (source.client() !== client) {
        isDirty = true;
        return;
      }
      const before = pending ?? seen.get().value;
      pending = null;
      const carried =
        before === null ? answer.value : (deps.carry?.(before, answer.value) ?? answer.value);
      set({ value: during.reduce(deps.reduce, carried), asOf: now(), isStale: false, error: null });
      isDirty ||= answer.isBehind;
      notBefore = now() + Math.max(LEAST_GAP_MS, REST * (now() - startedAt));
    } catch (error) {
      isDirty = true;
      notBefore = now() + RETRY_MS;
      set({ error: fromUnknown(error) });
    }
  }

  const stop = source.listen({
    heard,
    fresh() {
      isDirty = true;
      notBefore = 0;
      schedule();
    },
    lost() {
      clear();
      isDirty = true;
      if (seen.get().value !== null) set({ isStale: true });
    },
  });

  function clear(): void {
    if (timer !== null) clearTimeout(timer);
    if (pendingTimer !== null) clearTimeout(pendingTimer);
    timer = null;
    pendingTimer = null;
    pending = null;
  }

  return {
    get: seen.get,
    onChange: seen.onChange,
    setVisible(visible) {
      if (visible === isVisible) return;
      isVisible = visible;
      if (visible) schedule();
      else clear();
    },
    async refresh() {
      // An answer that is on its way was asked for too early.
      if (loading !== null) await loading;
      await load();
    },
    dispose() {
      stop();
      clear();
      isVisible = false;
    },
  };
}
