import { afterEach, describe, expect, test, vi } from "vitest";
import { DeadLetters } from "../../../webview/screens/DeadLetters.tsx";
import { type ExampleView, openExampleView } from "../support/dom.tsx";
import type { Play } from "../support/gallery/fake-host.ts";
import { lookAt } from "../support/screen.tsx";

let view: ExampleView;
afterEach(() => {
  vi.restoreAllMocks();
  view.close();
});

async function open(play: Play, filter?: string) {
  view = openExampleView(play);
  await view.show(
    <DeadLetters address={{ screen: "dead", ...(filter === undefined ? {} : { filter }) }} />,
  );
  return lookAt(view);
}

type Look = ReturnType<typeof lookAt>;
const dialogButton = (look: Look): HTMLElement => look.all("dialog vscode-button").at(-1)!;
const idsOf = (look: Look): string[] => (look.asked("redrive").at(-1) as { ids: string[] }).ids;

describe("the dead letters", () => {
  test.each<[Play, string]>([
    ["full", "ready"],
    ["empty", "ready"],
    ["error", "error"],
    ["denied", "not-allowed"],
    ["loading", "loading"],
  ])("when they are %s the panel is %s", async (play, state) => {
    expect((await open(play)).states()).toEqual([state]);
  });

  test("none is good news, and says what would be here", async () => {
    const look = await open("empty");
    expect(look.text()).toContain("No dead letters.");
    expect(look.hasButton("Redrive")).toBe(false);
  });

  test("letters of one cause are one group, the largest first", async () => {
    const look = await open("full");
    const titles = look.all(".group-title").map((title) => title.textContent);
    expect(titles).toHaveLength(2);
    expect(titles[0]).toBe("no reply from the warehouse within 30 s(13)");
  });

  test("a group is opened and closed by its title", async () => {
    const look = await open("full");
    const rows = look.rows().length;
    const title = look.all(".group-title")[0]!;
    expect(title.getAttribute("aria-expanded")).toBe("true");
    await look.click(title);
    expect(look.rows()).toHaveLength(rows - 13);
  });

  test("a whole group is redriven after its question", async () => {
    const look = await open("full");
    await look.click(look.button("Redrive group…"));
    expect(look.all("dialog h2")[0]?.textContent).toBe("Redrive 13 tasks");
    expect(look.all("dialog vscode-checkbox")).toEqual([]);
    await look.click(dialogButton(look));
    expect(idsOf(look)).toHaveLength(13);
  });

  test("ticking a group selects its letters and no others, and unticking it takes them back", async () => {
    const look = await open("full");
    await look.click(look.all(".group-head .tick")[0]!);
    await look.click(look.all(".group-head .tick")[1]!);
    expect(look.hasButton("Redrive 20 selected…")).toBe(true);
    await look.click(look.all(".group-head .tick")[0]!);
    await look.click(look.button("Redrive 7 selected…"));
    await look.click(dialogButton(look));
    expect(idsOf(look)).toHaveLength(7);
  });

  test("a single letter is redriven from its row, and what came of it is told", async () => {
    const look = await open("full");
    await look.click(look.all("td.cell-acts button")[0]!);
    await look.click(dialogButton(look));
    expect(idsOf(look)).toHaveLength(1);
    expect(look.all(".report")[0]?.textContent).toContain("1 task redriven.");
    await look.click(look.all(".report button").at(-1)!);
    expect(look.all(".report")).toEqual([]);
  });

  test("all that are listed are redriven at once", async () => {
    const look = await open("full", "queue:etl");
    await look.click(look.button("Redrive all…"));
    expect(look.all("dialog h2")[0]?.textContent).toBe("Redrive 20 tasks");
    await look.click(dialogButton(look));
    expect(idsOf(look)).toHaveLength(20);
  });

  test("r on a row redrives its letter", async () => {
    const look = await open("full");
    look.rows()[0]?.focus();
    await view.press("r");
    expect(look.all("dialog h2")[0]?.textContent).toBe("Redrive 1 task");
  });

  test("what was refused is told one by one", async () => {
    const look = await open("full");
    await look.click(look.button("Redrive group…"));
    const error = { code: "task-not-in-state", message: "It waits already.", hint: "" };
    vi.spyOn(view.dashboard.host, "request").mockResolvedValue({
      ok: true,
      value: {
        matched: 13,
        applied: 12,
        refused: [{ id: "letter-000013", error }],
        refusedCount: 1,
        dryRun: false,
      },
    } as never);
    await look.click(dialogButton(look));
    const report = look.all(".report")[0]?.textContent;
    expect(report).toContain("12 tasks redriven. 1 refused: It waits already.");
    expect(report).toContain("#000013 It waits already.");
  });

  test("a Viewer sees them, and why nothing can be done", async () => {
    const look = await open("full");
    await look.as("eve", "Viewer");
    expect(look.isDisabled(look.button("Redrive all…"))).toBe(true);
    expect(look.text()).toContain("Needs the role Operator. You are Viewer.");
  });

  test("another state does not belong here, and is said", async () => {
    const look = await open("full", "status:waiting");
    expect(look.text()).toContain("Here are dead letters only");
    expect(look.rows()).toEqual([]);
  });
});
