import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Host } from "../host.ts";
import { isFlag, type Prefs } from "./prefs.ts";

export interface Live {
  /** The user's wish: the live-data toggle. */
  readonly isOn: ReadonlySignal<boolean>;
  /** Whether anybody can see the view. */
  readonly isSeen: ReadonlySignal<boolean>;
  set(on: boolean): void;
  stop(): void;
}

/** The live-data toggle. Off, or with the page hidden, the host sends neither batches nor words about changes. */
export function createLive(host: Host, prefs: Prefs, page: Document = document): Live {
  const isOn = prefs.slot("live", true, isFlag);
  const isSeen = signal(page.visibilityState !== "hidden");
  const isWanted = computed(() => isOn.value && isSeen.value);
  const onVisibility = (): void => {
    isSeen.value = page.visibilityState !== "hidden";
  };
  page.addEventListener("visibilitychange", onVisibility);
  let isGreeted = false;
  const stopPosting = effect(() => {
    const on = isWanted.value;
    if (isGreeted) host.post({ type: "live", on });
  });
  const stopHearing = host.onNotice((notice) => {
    if (notice.type !== "hello") return;
    // A host begins live whenever it greets.
    isGreeted = true;
    if (!isWanted.peek()) host.post({ type: "live", on: false });
  });
  return {
    isOn,
    isSeen,
    set: (on) => {
      isOn.value = on;
    },
    stop() {
      page.removeEventListener("visibilitychange", onVisibility);
      stopPosting();
      stopHearing();
    },
  };
}
