import { afterEach, describe, expect, test, vi } from "vitest";
import { Queues } from "../../../webview/screens/Queues.tsx";
import { type ExampleView, openExampleView } from "../support/dom.tsx";
import type { Play } from "../support/gallery/fake-host.ts";
import { lookAt } from "../support/screen.tsx";

let view: ExampleView;
afterEach(() => view.close());

async function open(play: Play, filter?: string) {
  view = openExampleView(play);
  await view.show(
    <Queues address={{ screen: "queues", ...(filter === undefined ? {} : { filter }) }} />,
  );
  return lookAt(view);
}

const ALIVE = ["waiting", "running", "retrying", "scheduled"];

describe("the queues", () => {
  test.each<[Play, string]>([
    ["full", "ready"],
    ["empty", "ready"],
    ["error", "error"],
    ["denied", "not-allowed"],
    ["loading", "loading"],
  ])("when they are %s both panels are %s", async (play, state) => {
    expect((await open(play)).states()).toEqual([state, state]);
  });

  test("without a connection the old data stay and nothing can be done", async () => {
    const look = await open("full");
    view.host.loseConnection();
    await view.settle();
    expect(look.states()).toEqual(["stale", "stale"]);
    const inRow = look.all("td .icon-button");
    expect(inRow.length).toBeGreaterThan(0);
    expect(inRow.every(look.isDisabled)).toBe(true);
  });

  test("nothing there is said in words, with the next step", async () => {
    const look = await open("empty");
    expect(look.text()).toContain("No queue has had a task yet.");
    expect(look.text()).toContain("Nothing waits and nothing runs.");
  });

  test("a queue's row says in a word how it does", async () => {
    const look = await open("full");
    const etl = look.rows().find((row) => row.textContent?.startsWith("etl"));
    expect(etl?.textContent).toContain("Waits too long");
    expect(etl?.textContent).toMatch(/1.284/);
  });

  test("choosing a queue filters the tasks, choosing it again takes that back", async () => {
    const look = await open("full");
    await look.click(look.rows()[0]!);
    expect(look.asked("list").at(-1)).toMatchObject({ where: { queue: "etl", status: ALIVE } });
    await look.click(look.rows()[0]!);
    expect(look.all("[data-filter-box]")[0]).toHaveProperty("value", "");
  });

  test("an address may bring a filter", async () => {
    const look = await open("full", "bucket:high");
    expect(look.asked("list")).toContainEqual(
      expect.objectContaining({ where: { bucket: "high", status: ALIVE } }),
    );
  });

  test("a filter that cannot be answered lists nothing, so that nobody acts on the wrong tasks", async () => {
    const look = await open("full", "-queue:etl");
    expect(look.text()).toContain("Tasks cannot be left out");
    expect(look.all("table[aria-label=Tasks]")).toEqual([]);
  });

  test("pages follow the cursor, and back", async () => {
    const look = await open("full");
    expect(look.text()).toContain("1 to 50");
    await look.click(look.button("Next"));
    expect(look.asked("list").at(-1)).toMatchObject({ cursor: "more", limit: 50 });
    expect(look.text()).toContain("51 to 100");
    await look.click(look.button("Back"));
    expect(look.text()).toContain("1 to 50");
  });

  test("sorting by creation is the daemon's, by anything else of this page, and that is said", async () => {
    const look = await open("full");
    await look.click(look.button("Enqueued"));
    expect(look.asked("list").at(-1)).toMatchObject({ order: "oldest" });
    const asked = look.asked("list").length;
    await look.click(look.button("Level"));
    expect(look.asked("list")).toHaveLength(asked);
    expect(look.text()).toContain("(sorted within this page)");
  });

  test("j and k go from row to row, Enter opens, e prioritizes", async () => {
    const look = await open("full");
    const [first, second] = look.all("table[aria-label=Tasks] tbody tr");
    first?.focus();
    await view.press("j");
    expect(document.activeElement).toBe(second);
    await view.press("k");
    expect(document.activeElement).toBe(first);
    await view.press("e");
    expect(view.dashboard.dialogs.asked.peek()?.question.title).toBe(
      "Move 1 task to level 8 Prioritize?",
    );
    await look.answer(null);
    await view.press("Enter");
    expect(view.dashboard.router.detail.value).toMatchObject({ screen: "task" });
  });

  test("a selection is escalated after a preview that leaves out what it cannot be done to", async () => {
    const look = await open("full");
    // Scheduled, waiting and running.
    for (const tick of look.ticks().slice(1, 4)) await look.click(tick);
    expect(look.text()).toContain("3 selected");
    await look.click(look.button("Prioritize"));
    const { title, confirm, reason } = view.dashboard.dialogs.asked.peek()!.question;
    expect([title, confirm, reason]).toEqual([
      "Move 2 tasks to level 8 Prioritize?",
      "Prioritize: 2 tasks",
      "required",
    ]);
    await look.answer("month end");
    const order = look.asked("escalate").at(-1) as { ids: string[] };
    expect(order).toMatchObject({ to: 8, reason: "month end" });
    expect(order.ids).toHaveLength(2);
    expect(look.text()).not.toContain("3 selected");
  });

  test("all that match are counted by the daemon, rehearsed, and named by the filter alone", async () => {
    const look = await open("full", "queue:etl");
    await look.click(look.ticks()[1]!);
    await look.click(look.button("Select all that match"));
    expect(look.asked("cancel")).toEqual([
      { where: { queue: "etl", status: ALIVE }, dryRun: true },
    ]);
    expect(look.text()).toContain("All that match (128)");
    await look.click(look.button("Cancel"));
    expect(view.dashboard.dialogs.asked.peek()?.question.confirm).toBe("Cancel: 128 tasks");
    await look.answer("");
    expect(look.asked("cancel").at(-1)).toEqual({
      where: { queue: "etl", status: ["waiting", "running", "retrying", "scheduled"] },
    });
  });

  test("what was refused is told one by one, in words", async () => {
    const look = await open("full");
    await look.click(look.ticks()[1]!);
    await look.click(look.ticks()[2]!);
    const error = { code: "already-running-task", message: "It is running already.", hint: "" };
    vi.spyOn(view.dashboard.host, "request").mockResolvedValue({
      ok: true,
      value: {
        matched: 2,
        applied: 1,
        refused: [{ id: "task-000002", error }],
        refusedCount: 1,
        dryRun: false,
      },
    } as never);
    await look.click(look.button("Prioritize"));
    await look.answer("soon");
    const report = look.all(".report")[0];
    expect(report?.textContent).toContain("1 task moved to level 8 Prioritize. 1 refused:");
    expect(report?.textContent).toContain("#000002 It is running already.");
  });

  test("a Viewer can choose, but not act, and is told why", async () => {
    const look = await open("full");
    await look.as("eve", "Viewer");
    await look.click(look.ticks()[1]!);
    const prioritize = look.all(".selection-bar vscode-button")[0]!;
    expect(look.isDisabled(prioritize)).toBe(true);
    expect(prioritize.getAttribute("title")).toContain("Needs the role Operator");
  });
});
