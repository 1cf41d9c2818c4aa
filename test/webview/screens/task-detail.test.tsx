import { afterEach, describe, expect, test } from "vitest";
import { TaskDetail } from "../../../webview/screens/TaskDetail.tsx";
import { escapeOdd } from "../../../webview/ui/foreign-text.ts";
import { type ExampleView, openExampleView } from "../support/dom.tsx";
import { HOSTILE } from "../support/gallery/example-data.ts";
import type { Play } from "../support/gallery/fake-host.ts";
import { lookAt } from "../support/screen.tsx";

let view: ExampleView;
afterEach(() => view.close());

const IDS = {
  scheduled: 0,
  waiting: 1,
  running: 2,
  retrying: 3,
  completed: 4,
  cancelled: 5,
  dead: 6,
};
const idOf = (status: keyof typeof IDS): string => `FEKb8TkOBqk6dYDt00000${IDS[status]}`;

async function open(play: Play, status: keyof typeof IDS = "dead") {
  view = openExampleView(play);
  await view.show(<TaskDetail address={{ screen: "task", id: idOf(status) }} />);
  return lookAt(view);
}

describe("a task's detail", () => {
  test.each<[Play, string]>([
    ["error", "error"],
    ["denied", "not-allowed"],
    ["loading", "loading"],
  ])("when it is %s it says so", async (play, state) => {
    expect((await open(play)).states()).toEqual([state]);
  });

  test("a dead letter tells its whole life with the time between", async () => {
    const look = await open("full");
    const lines = look.all(".tl-item").map((line) => line.textContent);
    expect(lines[0]).toMatch(/Enqueued by operator1$/);
    expect(lines[1]).toMatch(/12 s waiting/);
    expect(lines[2]).toContain("5 → 9 Urgent by manager1 (Manager)");
    expect(lines.filter((line) => line?.includes("until the retry"))).toHaveLength(3);
    expect(lines.filter((line) => line?.includes("Attempt"))).toHaveLength(4);
    expect(lines.at(-1)).toContain("Dead letter: all attempts used (4)");
  });

  test("the audit may be silent: the task itself is there all the same", async () => {
    const look = await open("empty", "waiting");
    expect(look.states()).toContain("ready");
    expect(look.text()).toContain("cls.integrate");
  });

  test("integers beyond 2^53 stand there as they were written, in params, result and raw", async () => {
    const look = await open("full", "completed");
    expect(look.text()).toContain("9007199254740993");
    await look.click(look.button("Result"));
    expect(look.text()).toContain("18446744073709551615");
    await look.click(look.button("Raw"));
    expect(look.text()).toContain("18446744073709551615");
    expect(look.text()).toContain("9007199254740993");
  });

  test("hostile texts are text, and what turns text around is shown by its code", async () => {
    const look = await open("full");
    expect(look.all("img")).toEqual([]);
    expect(view.root.innerHTML).not.toContain("\u202e");
    expect(look.text()).toContain("U+202E");
    expect(HOSTILE).toContain("\u202e");
  });

  test("a waiting task says why, how many are before it, and when it will start", async () => {
    const look = await open("full", "waiting");
    expect(look.text()).toContain("It waits behind 4 tasks at Normal (5)");
    expect(look.text()).toContain("4 tasks before it.");
    expect(look.text()).toContain("Starts in about 4m 00s.");
  });

  test("a running task shows how far it is only because it said so", async () => {
    const look = await open("full", "running");
    const bar = look.all("[role=progressbar]")[0];
    expect(bar?.getAttribute("aria-valuenow")).toBe("61");
    expect(look.text()).toMatch(/12.480 of 20.400 rows/);
  });

  test("each change of level is told with who and why, the newest first", async () => {
    const look = await open("full", "waiting");
    const changes = look
      .all("[aria-label^='Changes of priority'] li")
      .map((row) => row.textContent);
    expect(changes[0]).toContain("9 → 8 Prioritize by ada (Admin) “not so urgent”");
    expect(changes[1]).toContain("5 → 9 Urgent by manager1");
  });

  test("what the role may not do is there, disabled, and says which role it needs", async () => {
    const look = await open("full", "waiting");
    expect(look.isDisabled(look.button("Urgent"))).toBe(true);
    expect(look.text()).toContain("Urgent: Needs the role Manager. You are Operator.");
    await look.as("bo", "Admin");
    expect(look.isDisabled(look.button("Critical"))).toBe(false);
    await look.click(look.button("Critical"));
    expect(view.dashboard.dialogs.asked.peek()?.question).toMatchObject({
      title: "Move 1 task to level 10 Critical?",
      reason: "required",
    });
    await look.answer("the customer waits");
    expect(look.asked("escalate")).toEqual([
      { ids: [idOf("waiting")], to: 10, reason: "the customer waits" },
    ]);
  });

  test("the last change of level can be taken back", async () => {
    const look = await open("full", "waiting");
    await look.click(look.button("Undo"));
    await look.answer("mistake");
    expect(look.asked("undo")).toEqual([{ id: idOf("waiting"), reason: "mistake" }]);
  });

  test("a task that has completed offers nothing", async () => {
    const look = await open("full", "completed");
    for (const name of ["Prioritize", "Cancel", "Redrive", "Run now"])
      expect(look.hasButton(name), name).toBe(false);
  });

  test("without a connection nothing can be done, and it says why", async () => {
    const look = await open("full", "waiting");
    view.host.loseConnection();
    await view.settle();
    expect(look.isDisabled(look.button("Cancel"))).toBe(true);
    expect(look.text()).toContain("There is no connection to the daemon.");
    expect(look.states()[0]).toBe("stale");
  });

  test("r redrives the dead letter that has the focus, with its input changed if wished", async () => {
    view = openExampleView("full");
    await view.show(
      <aside id="detail" tabIndex={-1}>
        <TaskDetail address={{ screen: "task", id: idOf("dead") }} />
      </aside>,
    );
    const look = lookAt(view);
    look.all("#detail")[0]?.focus();
    await view.press("r");
    expect(look.all("dialog h2")[0]?.textContent).toBe("Redrive 1 task");
    const box = look.all("dialog vscode-checkbox")[0] as HTMLInputElement;
    box.checked = true;
    box.dispatchEvent(new Event("change"));
    await view.settle();
    const redrive = look.all("dialog vscode-button").at(-1)!;
    expect(look.isDisabled(redrive)).toBe(true);
    const input = look.all("dialog vscode-textarea")[0] as HTMLTextAreaElement;
    input.value = "{ no json";
    input.dispatchEvent(new Event("input"));
    await view.settle();
    expect(look.text()).toContain("This is no JSON.");
    expect(look.isDisabled(redrive)).toBe(true);
    input.value = '{"id":9007199254740993}';
    input.dispatchEvent(new Event("input"));
    await view.settle();
    await look.click(redrive);
    expect(look.asked("redrive")).toEqual([
      { ids: [idOf("dead")], input: '{"id":9007199254740993}' },
    ]);
    expect(look.all("dialog")).toEqual([]);
  });

  test("an input that is edited shows invisible characters as escapes, and stays the same JSON", () => {
    view = openExampleView("full");
    const text = `{"a":"\u202e\u200b\u00ad é 👍",\n\t"b":9007199254740993}`;
    const shown = escapeOdd(text);
    expect(shown).toBe('{"a":"\\u202e\\u200b\\u00ad é 👍",\n\t"b":9007199254740993}');
    expect(JSON.parse(shown)).toEqual(JSON.parse(text));
  });

  test("a letter typed somewhere else does nothing to the task", async () => {
    const look = await open("full");
    await view.press("r", document.body);
    expect(look.all("dialog")).toEqual([]);
  });
});
