import { computed, type ReadonlySignal } from "@preact/signals";
import type { Address, Screen } from "../../shared/view/messages.ts";
import type { Prefs } from "./prefs.ts";

/** Screens that lie over the one that they were opened from: a pane when there is room, else a page with a way back. */
const DETAILS: readonly Screen[] = ["task", "run"];
/** More details on top of each other than this nobody goes back through. */
const DEEPEST = 12;

export interface Router {
  readonly main: ReadonlySignal<Address>;
  /** The detail on top; null: none is open. */
  readonly detail: ReadonlySignal<Address | null>;
  /** How many details lie on the main screen. */
  readonly depth: ReadonlySignal<number>;
  navigate(address: Address): void;
  /** Closes the detail on top; false when there was none. */
  back(): boolean;
  /** Closes all details. */
  closeDetails(): void;
}

/** The open places after going to one. Pure. */
export function goTo(places: readonly Address[], address: Address): readonly Address[] {
  if (!DETAILS.includes(address.screen)) return [address];
  const top = places.at(-1);
  if (top?.screen === address.screen && top.id === address.id) return places;
  // Going to what lies below goes back to it.
  const below = places.findIndex(
    ({ screen, id }) => screen === address.screen && id === address.id,
  );
  if (below >= 0) return places.slice(0, below + 1);
  const main = places[0] ?? { screen: "overview" };
  return [main, ...places.slice(1).slice(-(DEEPEST - 1)), address];
}

export function createRouter(prefs: Prefs): Router {
  const { places, setPlaces } = prefs;
  return {
    main: computed(() => {
      const first = places.value[0] ?? { screen: "overview" as const };
      return DETAILS.includes(first.screen) ? { screen: "overview" } : first;
    }),
    detail: computed(() => {
      const top = places.value.at(-1);
      return top !== undefined && DETAILS.includes(top.screen) ? top : null;
    }),
    depth: computed(() => places.value.length - 1),
    navigate: (address) => setPlaces(goTo(places.peek(), address)),
    back() {
      const { length } = places.peek();
      if (length <= 1) return false;
      setPlaces(places.peek().slice(0, -1));
      return true;
    },
    closeDetails: () => setPlaces(places.peek().slice(0, 1)),
  };
}
