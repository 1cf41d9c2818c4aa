import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { type Address, SCREENS } from "../../shared/view/messages.ts";
import type { Host } from "../host.ts";

/** What a reload restores. Each screen keeps its own things in a slot of its own. */
export interface Prefs {
  /** The screens that are open: the main one, then details on top of each other. */
  readonly places: ReadonlySignal<readonly Address[]>;
  readonly setPlaces: (places: readonly Address[]) => void;
  /** A kept value by name; `isValid` refuses what an older version kept there. */
  slot<T>(name: string, initial: T, isValid: (value: unknown) => value is T): Signal<T>;
  stop(): void;
}

interface Kept {
  readonly version: 1;
  readonly places: readonly Address[];
  readonly slots: Readonly<Record<string, unknown>>;
}

const HOME: readonly Address[] = [{ screen: "overview" }];

/** What was kept, as far as it can be understood. The state is the view's own, yet may be of another version. Pure. */
export function readKept(value: unknown): Kept {
  const nothing: Kept = { version: 1, places: HOME, slots: {} };
  if (typeof value !== "object" || value === null || !("version" in value)) return nothing;
  if (value.version !== 1) return nothing;
  const places =
    "places" in value && Array.isArray(value.places) ? value.places.filter(isAddress) : [];
  const slots = "slots" in value && typeof value.slots === "object" ? value.slots : null;
  return {
    version: 1,
    places: places.length === 0 ? HOME : places,
    slots: (slots ?? {}) as Record<string, unknown>,
  };
}

function isAddress(value: unknown): value is Address {
  if (typeof value !== "object" || value === null || !("screen" in value)) return false;
  const { screen, id, filter } = value as Record<string, unknown>;
  const isText = (part: unknown): boolean => part === undefined || typeof part === "string";
  return SCREENS.some((known) => known === screen) && isText(id) && isText(filter);
}

export const isText = (value: unknown): value is string => typeof value === "string";
export const isFlag = (value: unknown): value is boolean => typeof value === "boolean";

export function createPrefs(host: Pick<Host, "readState" | "saveState">): Prefs {
  const kept = readKept(host.readState());
  const places = signal(kept.places);
  const slots = new Map<string, Signal<unknown>>();
  const names = signal(0);
  const stop = effect(() => {
    // Read for its changes: a new slot is one more thing to follow.
    names.value;
    const held = Object.fromEntries([...slots].map(([name, slot]) => [name, slot.value]));
    const state: Kept = { version: 1, places: places.value, slots: { ...kept.slots, ...held } };
    host.saveState(state);
  });
  return {
    places,
    setPlaces: (next) => {
      places.value = next;
    },
    slot<T>(name: string, initial: T, isValid: (value: unknown) => value is T) {
      const there = slots.get(name);
      if (there !== undefined) return there as Signal<T>;
      const before = kept.slots[name];
      const made = signal<T>(isValid(before) ? before : initial);
      slots.set(name, made as Signal<unknown>);
      // Not at once: a slot is made while a component renders, which must not set what others read.
      queueMicrotask(() => {
        names.value += 1;
      });
      return made;
    },
    stop,
  };
}
