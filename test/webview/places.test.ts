import { describe, expect, test } from "vitest";
import { readKept } from "../../webview/state/prefs.ts";
import { goTo } from "../../webview/state/router.ts";
import { deedOf } from "../../webview/ui/keyboard.ts";
import { rowAfterKey, scrollToShow, windowOf } from "../../webview/ui/virtual-window.ts";

const FEED = { screen: "feed" } as const;
const task = (id: string) => ({ screen: "task", id }) as const;

describe("going to a place", () => {
  test("a detail lies on the screen that it was opened from", () => {
    expect(goTo([FEED], task("a"))).toEqual([FEED, task("a")]);
    expect(goTo([FEED, task("a")], { screen: "run", id: "r" })).toHaveLength(3);
  });

  test("a main screen closes all details", () => {
    expect(goTo([FEED, task("a")], { screen: "queues" })).toEqual([{ screen: "queues" }]);
  });

  test("a detail that lies below is gone back to, and the open one stays open", () => {
    const places = [FEED, task("a"), task("b")];
    expect(goTo(places, task("a"))).toEqual([FEED, task("a")]);
    expect(goTo(places, task("b"))).toBe(places);
  });

  test("however many details are opened, few are kept, and the main screen always", () => {
    let places = goTo([FEED], task("0"));
    for (let n = 1; n < 100; n++) places = goTo(places, task(String(n)));
    expect(places).toHaveLength(13);
    expect([places[0], places.at(-1)]).toEqual([FEED, task("99")]);
  });
});

describe("what a reload restores", () => {
  test("is taken as far as it can be understood", () => {
    const kept = { version: 1, places: [FEED, { screen: "nowhere" }, task("a")], slots: { x: 1 } };
    expect(readKept(kept)).toEqual({ version: 1, places: [FEED, task("a")], slots: { x: 1 } });
  });

  test.each([null, "text", 7, {}, { version: 2 }, { version: 1, places: "x", slots: null }])(
    "%j leads to the overview",
    (kept) => {
      expect(readKept(kept)).toEqual({ version: 1, places: [{ screen: "overview" }], slots: {} });
    },
  );
});

describe("the keys of the page", () => {
  const rail = ["overview", "feed"] as const;
  const press = (key: string, more = {}) =>
    deedOf({ key, isModified: false, isTyping: false, ...more }, rail, true);

  test("a number goes to the screen at that place, and nowhere beyond the last", () => {
    expect(press("2")).toEqual({ kind: "screen", screen: "feed" });
    expect(press("3")).toBeNull();
  });

  test("letters belong to a text field that has the focus, but Esc still leads back", () => {
    expect(press("2", { isTyping: true })).toBeNull();
    expect(press("Escape", { isTyping: true })).toEqual({ kind: "back" });
  });

  test("with Ctrl, Alt or Meta a key is the editor's", () => {
    expect(press("2", { isModified: true })).toBeNull();
  });

  test("single keys can be switched off", () => {
    const off = deedOf({ key: "?", isModified: false, isTyping: false }, rail, false);
    expect([off, press("?")]).toEqual([null, { kind: "help" }]);
  });
});

describe("a long list", () => {
  test("renders what is in sight and a little more, with the height of the rest around it", () => {
    const list = { count: 1000, rowPx: 22, scrollPx: 2200, viewPx: 220, overscan: 5 };
    expect(windowOf(list)).toEqual({ from: 95, to: 115, abovePx: 95 * 22, belowPx: 885 * 22 });
  });

  test("renders nothing beyond its ends", () => {
    const list = { count: 3, rowPx: 22, scrollPx: 9999, viewPx: 220, overscan: 5 };
    expect(windowOf(list)).toEqual({ from: 3, to: 3, abovePx: 66, belowPx: 0 });
  });

  test("scrolls just as far as a row needs to be seen", () => {
    const view = { rowPx: 22, scrollPx: 220, viewPx: 220 };
    expect([scrollToShow(12, view), scrollToShow(0, view), scrollToShow(20, view)]).toEqual([
      220, 0, 242,
    ]);
  });

  test("arrows, j and k, pages and ends lead from row to row and never out of the list", () => {
    expect(
      ["ArrowDown", "k", "PageDown", "Home", "End", "x"].map((k) => rowAfterKey(k, 1, 5, 10)),
    ).toEqual([2, 0, 4, 0, 4, null]);
    expect(rowAfterKey("ArrowDown", 0, 0, 10)).toBeNull();
  });
});
