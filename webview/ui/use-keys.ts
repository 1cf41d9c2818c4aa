import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Dashboard } from "../dashboard.ts";
import { RAIL } from "../screens.tsx";
import { isFlag } from "../state/prefs.ts";
import { deedOf, type KeyDeed, pressOf } from "./keyboard.ts";

/** Hears the keys of the whole page. The answer says whether single letters are keys, and may be set. */
export function useKeys(dashboard: Dashboard): Signal<boolean> {
  const letters = dashboard.prefs.slot("letters", true, isFlag);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || dashboard.dialogs.asked.peek() !== null) return;
      if (dashboard.dialogs.helpOpen.peek()) return;
      const deed = deedOf(pressOf(event), RAIL, letters.peek());
      if (deed !== null && obey(dashboard, deed)) event.preventDefault();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, [dashboard]);
  return letters;
}

/** False: there was nothing to do, and the key is not ours. */
function obey(dashboard: Dashboard, deed: KeyDeed): boolean {
  switch (deed.kind) {
    case "screen":
      dashboard.router.navigate({ screen: deed.screen });
      document.getElementById("screen")?.focus();
      return true;
    case "filter": {
      const box = document.querySelector<HTMLElement>("[data-filter-box]");
      box?.focus();
      return box !== null;
    }
    case "help":
      dashboard.dialogs.showHelp(true);
      return true;
    case "back":
      return dashboard.router.back();
    case "live":
      dashboard.live.set(!dashboard.live.isOn.peek());
      return true;
    default:
      return deed satisfies never;
  }
}
