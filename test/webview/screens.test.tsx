import { afterEach, describe, expect, test } from "vitest";
import { Connection } from "../../webview/screens/Connection.tsx";
import { LiveFeed } from "../../webview/screens/LiveFeed.tsx";
import { Overview } from "../../webview/screens/Overview.tsx";
import { Confirm } from "../../webview/ui/Confirm.tsx";
import { DataTable } from "../../webview/ui/DataTable.tsx";
import { Foreign } from "../../webview/ui/Foreign.tsx";
import { Frame } from "../../webview/ui/Frame.tsx";
import { JsonView } from "../../webview/ui/JsonView.tsx";
import { type ExampleView, openExampleView } from "./support/dom.tsx";
import { HOSTILE } from "./support/gallery/example-data.ts";
import { exampleBatch } from "./support/gallery/example-feed.ts";
import { PLAYS, type Play } from "./support/gallery/fake-host.ts";

let view: ExampleView;
afterEach(() => view.close());

async function open(play: Play, kept: unknown = null): Promise<ExampleView> {
  view = openExampleView(play, kept);
  return view;
}

const panels = (): (string | undefined)[] =>
  [...view.root.querySelectorAll<HTMLElement>(".panel[data-state]")].map(
    ({ dataset }) => dataset["state"],
  );
const button = (name: string): HTMLElement =>
  [...view.root.querySelectorAll<HTMLElement>("button, vscode-button")].find((element) =>
    (element.getAttribute("aria-label") ?? element.textContent)?.trim().startsWith(name),
  )!;

describe("the overview", () => {
  test.each<[Play, string]>([
    ["full", "ready"],
    ["empty", "ready"],
    ["error", "error"],
    ["denied", "not-allowed"],
    ["loading", "loading"],
  ])("when it is %s all its panels are %s", async (play, state) => {
    await open(play);
    await view.show(<Overview address={{ screen: "overview" }} />);
    expect(panels()).toEqual([state, state, state, state]);
  });

  test("without a connection the old data stay, say of when they are, and nothing is asked", async () => {
    await open("full");
    await view.show(<Overview address={{ screen: "overview" }} />);
    const asked = view.sent.length;
    view.host.loseConnection();
    await view.settle();
    expect(panels()).toEqual(["stale", "stale", "stale", "stale"]);
    expect(view.root.textContent).toContain("as of");
    expect(view.root.querySelector(".cards")?.textContent).toContain("1\u202f294");
    expect(view.sent).toHaveLength(asked);
  });

  test("numbers that nobody knows are dashes, never zeros", async () => {
    await open("error");
    await view.show(<Overview address={{ screen: "overview" }} />);
    const values = [...view.root.querySelectorAll(".card-value")].map((value) => value.textContent);
    expect(values).toEqual(["–", "–", "–", "–", "–", "–"]);
  });

  test("what needs attention leads to where it is dealt with", async () => {
    await open("full");
    await view.show(<Overview address={{ screen: "overview" }} />);
    button("Open").click();
    await view.settle();
    expect(view.dashboard.router.main.value).toEqual({ screen: "dead" });
  });

  test("the chart says in a sentence what it shows, and shows the numbers as a table when asked", async () => {
    await open("full");
    await view.show(<Overview address={{ screen: "overview" }} />);
    const label = view.root.querySelector(".chart-canvas")?.getAttribute("aria-label");
    expect(label).toMatch(/^Waiting tasks in the last 15m 00s\. High went from \d+ to \d+\./);
    button("Show as table").click();
    await view.settle();
    const rows = [...view.root.querySelectorAll(".chart-table tbody tr")];
    expect(rows).toHaveLength(60);
    // The steps that nobody measured.
    expect(rows[60 - 1 - 22]?.textContent).toMatch(/–––$/);
  });
});

describe("the live feed", () => {
  const rows = (): number =>
    Number(view.root.querySelector("[role=grid]")?.getAttribute("aria-rowcount"));

  test("each batch is acknowledged by its number", async () => {
    await open("full");
    await view.show(<LiveFeed address={{ screen: "feed" }} />);
    await expect
      .poll(() => view.sent.filter(({ type }) => type === "feed-ack"))
      .toEqual([{ type: "feed-ack", batch: 1 }]);
  });

  test("Space pauses: the list stands still, and the button counts what comes", async () => {
    await open("full");
    await view.show(<LiveFeed address={{ screen: "feed" }} />);
    expect(rows()).toBe(120);
    expect(await view.press(" ", view.root)).toBe(true);
    view.host.batch(2, 121, 27);
    await view.settle();
    expect([rows(), button("Resume").textContent?.trim()]).toEqual([120, "Resume, 27 new"]);
    await view.press(" ", view.root);
    expect(rows()).toBe(147);
  });

  test("a filter leaves only what matches, and its chip takes it away", async () => {
    await open("full");
    await view.show(<LiveFeed address={{ screen: "feed", filter: "level:error" }} />);
    expect(rows()).toBe(20);
    view.root.querySelector<HTMLElement>(".chip")?.click();
    await view.settle();
    expect(rows()).toBe(120);
  });

  test("arrows select rows, End follows again, and the selected row is told to screen readers", async () => {
    await open("full");
    await view.show(<LiveFeed address={{ screen: "feed" }} />);
    const grid = view.root.querySelector<HTMLElement>("[role=grid]")!;
    await view.press("Home", grid);
    await view.press("j", grid);
    expect(view.dashboard.feed.state.value).toMatchObject({ selected: 2, isFollowing: false });
    expect(grid.getAttribute("aria-activedescendant")).toMatch(/-2$/);
    expect(view.root.querySelector(".feed-detail")?.textContent).toContain("task.progress");
    await view.press("End", grid);
    expect(view.dashboard.feed.state.value).toMatchObject({ selected: 120, isFollowing: true });
  });

  test("sampling and drops are said in words", async () => {
    await open("full");
    await view.show(<Frame />);
    await view.tell({
      type: "feed",
      batch: exampleBatch(2, 121, 10, { sampledOut: 40, dropped: 1234 }),
    });
    expect(view.root.querySelector(".foot")?.textContent).toContain("1\u202f234 dropped");
    await view.show(<LiveFeed address={{ screen: "feed" }} />);
    expect(view.root.textContent).toContain("sampled 1 in 5");
  });

  test("an empty feed says why: nothing happened, no match, or live data are off", async () => {
    await open("empty");
    await view.show(<LiveFeed address={{ screen: "feed" }} />);
    expect(view.root.querySelector(".empty")?.textContent).toContain("Nothing happened");
    view.dashboard.live.set(false);
    await view.settle();
    expect(view.root.querySelector(".empty")?.textContent).toContain("switched off");
  });
});

describe("the connection", () => {
  test("a lost one says what, why and what can be done here, in words", async () => {
    await open("full");
    await view.show(<Connection address={{ screen: "connection" }} />);
    expect(view.root.querySelector(".guidance")).toBeNull();
    view.host.loseConnection();
    await view.settle();
    const guidance = view.root.querySelector(".guidance")!;
    expect(guidance.textContent).toContain("The server refused the connection.");
    expect(view.root.querySelector(".state-line")?.textContent).toContain("next try in 6.0 s");
    button("Start daemon").click();
    await view.settle();
    expect(view.sent.at(-1)).toMatchObject({
      type: "host",
      act: { kind: "remedy", remedy: "start-daemon" },
    });
  });

  test("a browser without link can only try again", async () => {
    await open("full");
    await view.show(<Connection address={{ screen: "connection" }} />);
    view.link.value = { kind: "closed", since: 0, attempt: 1, nextTryAt: null };
    await view.settle();
    const names = [...view.root.querySelectorAll(".guidance vscode-button")].map(
      (b) => b.textContent,
    );
    expect(names).toEqual(["Retry now"]);
  });
});

describe("the frame", () => {
  test.each(PLAYS)("shows each of its screens when the host is %s", async (play) => {
    await open(play);
    await view.show(<Frame />);
    for (const item of view.root.querySelectorAll<HTMLElement>(".rail-item")) {
      item.click();
      await view.settle();
      expect(view.root.querySelector("#screen h1")).not.toBeNull();
      expect(view.root.textContent).not.toContain("This screen failed");
    }
  });

  test("numbers lead to screens, the slash to the filter, and a reload finds the same place", async () => {
    await open("full");
    await view.show(<Frame />);
    await view.press("2", document.body);
    expect(view.dashboard.router.main.value.screen).toBe("feed");
    await view.press("/", document.body);
    expect(document.activeElement?.hasAttribute("data-filter-box")).toBe(true);
    expect(await view.press("1", document.activeElement!)).toBe(false);
    const kept = view.saved();
    view.close();
    await open("full", kept);
    await view.show(<Frame />);
    expect(view.root.querySelector("#screen")?.getAttribute("data-screen")).toBe("feed");
  });

  test("Esc closes a detail and brings the focus back to where it was opened", async () => {
    await open("full");
    await view.show(<Frame />);
    const link = view.root.querySelector<HTMLElement>(".recent-name")!;
    link.focus();
    link.click();
    await view.settle();
    expect(document.activeElement?.id).toBe("detail");
    expect(await view.press("Escape")).toBe(true);
    expect(document.activeElement).toBe(link);
    expect(await view.press("Escape")).toBe(false);
  });

  test("the live switch tells the host, and survives a reload", async () => {
    await open("full");
    await view.show(<Frame />);
    view.root.querySelector<HTMLElement>("[role=switch]")?.click();
    await view.settle();
    expect(view.sent.at(-1)).toEqual({ type: "live", on: false });
    const kept = view.saved();
    view.close();
    await open("full", kept);
    await view.show(<Frame />);
    expect(view.sent.filter(({ type }) => type === "live")).toEqual([{ type: "live", on: false }]);
    expect(view.root.querySelector("[role=switch]")?.getAttribute("aria-checked")).toBe("false");
  });

  test("a place that the host names is gone to", async () => {
    await open("full");
    await view.show(<Frame />);
    await view.tell({ type: "navigate", address: { screen: "connection" } });
    expect(view.root.querySelector("#screen")?.getAttribute("data-screen")).toBe("connection");
  });
});

describe("foreign texts", () => {
  test("no markup of theirs becomes markup, and what hides is shown", async () => {
    await open("full");
    await view.show(<Foreign text={HOSTILE} />);
    expect(view.root.querySelector("img")).toBeNull();
    expect(view.root.textContent).toContain("<img src=x onerror=alert(1)>");
    expect([...view.root.querySelectorAll(".odd-char")].map((odd) => odd.textContent)).toEqual([
      "U+202E",
      "U+202C",
      "U+0007",
    ]);
  });

  test("five megabytes of JSON are shown from their beginning, with the exact rest a click away", async () => {
    await open("full");
    const text = JSON.stringify({ big: "x".repeat(5_000_000), id: 1 });
    await view.show(<JsonView text={text} label="Input" onCopy={() => {}} />);
    expect(view.root.querySelector("pre")?.textContent?.length).toBeLessThan(21_000);
    expect(view.root.textContent).toContain("of 5\u202f000\u202f017 characters");
  });

  test("64-bit integers are shown as they were written", async () => {
    await open("full");
    await view.show(<JsonView text='{"id":9007199254740993}' label="Input" onCopy={() => {}} />);
    expect(view.root.querySelector(".json-word")?.textContent).toBe("9007199254740993");
  });
});

describe("a question before an act", () => {
  test("that needs a reason is not confirmed without one", async () => {
    await open("full");
    const answers: unknown[] = [];
    const question = { title: "Cancel?", confirm: "Cancel task", reason: "required" } as const;
    await view.show(<Confirm asked={{ question, answer: (answer) => answers.push(answer) }} />);
    button("Cancel task").click();
    expect(answers).toEqual([]);
    const field = view.root.querySelector<HTMLElement & { value: string }>("vscode-textfield")!;
    field.value = " because ";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    await view.settle();
    button("Cancel task").click();
    expect(answers).toEqual([{ reason: "because" }]);
  });
});

describe("a table", () => {
  const people = [
    { name: "b", age: null },
    { name: "a", age: 2 },
    { name: "c", age: 10 },
  ];
  const columns = [
    {
      id: "name",
      title: "Name",
      cell: (p: (typeof people)[number]) => p.name,
      sortBy: (p: (typeof people)[number]) => p.name,
    },
    {
      id: "age",
      title: "Age",
      cell: (p: (typeof people)[number]) => p.age,
      sortBy: (p: (typeof people)[number]) => p.age,
    },
  ];
  const names = (): string =>
    [...view.root.querySelectorAll("tbody tr")].map((row) => row.textContent?.[0]).join("");

  test("is sorted by its headers, up and down, unknown values last", async () => {
    await open("full");
    await view.show(
      <DataTable label="People" columns={columns} rows={people} keyOf={({ name }) => name} />,
    );
    const orders = [names()];
    for (const header of ["Name", "Age", "Age"]) {
      button(header).click();
      await view.settle();
      orders.push(names());
    }
    expect(orders).toEqual(["bac", "abc", "acb", "cab"]);
    expect(view.root.querySelectorAll("th")[1]?.getAttribute("aria-sort")).toBe("descending");
  });

  test("is walked by arrows, ticked by Space and opened by Enter", async () => {
    await open("full");
    const opened: string[] = [];
    let ticked: ReadonlySet<string> = new Set();
    await view.show(
      <DataTable
        label="People"
        columns={columns}
        rows={people}
        keyOf={({ name }) => name}
        ticked={ticked}
        onTick={(next) => {
          ticked = next;
        }}
        onOpen={({ name }) => opened.push(name)}
      />,
    );
    const first = view.root.querySelector<HTMLElement>("tbody tr")!;
    first.focus();
    await view.press("ArrowDown");
    await view.press("Enter");
    await view.press(" ");
    expect([opened, [...ticked]]).toEqual([["a"], ["a"]]);
    const stops = [...view.root.querySelectorAll("tbody tr")].map((row) =>
      row.getAttribute("tabindex"),
    );
    expect(stops).toEqual(["-1", "0", "-1"]);
  });
});
