import { afterEach, describe, expect, test, vi } from "vitest";
import { History } from "../../../webview/screens/History.tsx";
import { dayEdge } from "../../../webview/state/history.ts";
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
    <History address={{ screen: "history", ...(filter === undefined ? {} : { filter }) }} />,
  );
  return lookAt(view);
}

async function type(input: HTMLInputElement, value: string): Promise<void> {
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await view.settle();
}

describe("the history", () => {
  for (const tab of ["Tasks", "Priority changes", "Refusals"]) {
    test.each<[Play, string]>([
      ["full", "ready"],
      ["empty", "ready"],
      ["error", "error"],
      ["denied", "not-allowed"],
      ["loading", "loading"],
    ])(`${tab}: when it is %s the panel is %s`, async (play, state) => {
      const look = await open(play);
      await look.click(look.button(tab));
      expect(look.states()).toEqual([state]);
    });
  }

  test("without a filter it says how many of all tasks are shown", async () => {
    expect((await open("full")).text()).toMatch(/50 of 82.541 tasks/);
  });

  test("with a filter it says how many match, counted by the daemon", async () => {
    const look = await open("full", "status:dead by:ada");
    expect(look.asked("list").at(-1)).toMatchObject({ where: { status: ["dead"], by: "ada" } });
    expect(look.asked("cancel")).toEqual([
      { where: { by: "ada", status: ["dead"] }, dryRun: true },
    ]);
    expect(look.text()).toMatch(/128 of 82.541 tasks match/);
  });

  test("a Viewer, who may not ask for that count, asks for none", async () => {
    const look = await open("full");
    await look.as("eve", "Viewer");
    await type(look.all("[data-filter-box]")[0] as HTMLInputElement, "status:dead");
    expect(look.asked("cancel")).toEqual([]);
    expect(look.rows().length).toBeGreaterThan(0);
  });

  test("dates are whole days of the user's zone", async () => {
    const look = await open("full");
    const [from, to] = look.all("input[type=date]") as HTMLInputElement[];
    await type(from!, "2026-11-01");
    await type(to!, "2026-11-02");
    expect(look.asked("list").at(-1)).toMatchObject({
      where: {
        createdAfter: dayEdge("2026-11-01", "start")! - 1,
        createdBefore: dayEdge("2026-11-03", "start"),
      },
    });
  });

  test("an export holds every page that matches", async () => {
    view = openExampleView("full");
    const saved: string[] = [];
    vi.spyOn(view.dashboard, "save").mockImplementation((name, text) => {
      saved.push(name, text);
      return Promise.resolve();
    });
    await view.show(<History address={{ screen: "history", filter: "status:dead" }} />);
    const look = lookAt(view);
    const pages = [
      { tasks: [{ id: "one", name: "=cmd()" }], next: "2" },
      { tasks: [{ id: "two", name: "b" }], next: null },
    ];
    const request = vi.spyOn(view.dashboard.host, "request");
    for (const value of pages) request.mockResolvedValueOnce({ ok: true, value } as never);
    await look.click(look.button("Export CSV"));
    expect(request.mock.calls.map(([, body]) => (body as { cursor?: string }).cursor)).toEqual([
      undefined,
      "2",
    ]);
    expect(saved[0]).toMatch(/^tasks-2026-11-\d\d-\d{4}\.csv$/);
    expect(saved[1]?.split("\r\n").slice(1, 3)).toEqual([
      expect.stringMatching(/^one,'=cmd\(\),/),
      expect.stringMatching(/^two,b,/),
    ]);
  });

  test("changes of priority are searched here, and say of how many", async () => {
    const look = await open("full");
    await look.click(look.button("Priority changes"));
    expect(look.rows()).toHaveLength(30);
    await type(look.all("vscode-textfield")[0] as HTMLInputElement, "manager1 customer");
    expect(look.text()).toContain("0 of 30 rows");
    await type(look.all("vscode-textfield")[0] as HTMLInputElement, "ADA customer");
    expect(look.text()).toContain("8 of 30 rows");
    expect(look.rows()[0]?.textContent).toContain("customer call");
  });

  test("a row of the history opens its task", async () => {
    const look = await open("full");
    await look.click(look.button("Priority changes"));
    await look.click(look.rows()[0]!);
    expect(view.dashboard.router.detail.value).toEqual({
      screen: "task",
      id: "FEKb8TkOBqk6dYDt000000",
    });
  });
});
