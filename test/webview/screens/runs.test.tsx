import { afterEach, describe, expect, test } from "vitest";
import { Runs } from "../../../webview/screens/Runs.tsx";
import { RunView } from "../../../webview/screens/RunView.tsx";
import { type ExampleView, openExampleView } from "../support/dom.tsx";
import type { Play } from "../support/gallery/fake-host.ts";
import { lookAt } from "../support/screen.tsx";

let view: ExampleView;
afterEach(() => view.close());

const RUNNING = "RunOfExample00000118";
const FAILED = "RunOfExample00000116";

async function openList(play: Play, filter?: string) {
  view = openExampleView(play);
  await view.show(
    <Runs address={{ screen: "runs", ...(filter === undefined ? {} : { filter }) }} />,
  );
  return lookAt(view);
}

async function openRun(play: Play, id = RUNNING) {
  view = openExampleView(play);
  await view.show(<RunView address={{ screen: "run", id }} />);
  return lookAt(view);
}

const STATES: [Play, string][] = [
  ["full", "ready"],
  ["error", "error"],
  ["denied", "not-allowed"],
  ["loading", "loading"],
];

describe("the runs", () => {
  test.each(STATES)("when they are %s the panel is %s", async (play, state) => {
    expect((await openList(play)).states()).toEqual([state]);
  });

  test("none is said in words, with the next step", async () => {
    expect((await openList("empty")).text()).toContain("No pipeline ran yet.");
  });

  test("each row says how it stands and how many phases are done", async () => {
    const look = await openList("full");
    expect(look.rows()).toHaveLength(12);
    expect(look.rows()[0]?.textContent).toMatch(/^Runningcls_all #000118.*1 of 4/);
  });

  test("a filter by state and pipeline narrows the list, and says of how many", async () => {
    const look = await openList("full", "pipeline:cls_* status:failed");
    expect(look.rows()).toHaveLength(3);
    expect(look.text()).toContain("3 of 12");
  });

  test("Enter opens the run", async () => {
    const look = await openList("full");
    look.rows()[1]?.focus();
    await view.press("Enter");
    expect(view.dashboard.router.detail.value).toEqual({
      screen: "run",
      id: "RunOfExample00000117",
    });
  });

  test("where the host asks for parameters a pipeline can be started", async () => {
    const look = await openList("full");
    await look.click(look.button("Run…"));
    expect(view.sent.at(-1)).toMatchObject({
      type: "host",
      act: { kind: "run-pipeline", pipeline: "cls_all" },
    });
  });
});

describe("a run", () => {
  test.each(STATES.slice(1))("when it is %s the panel is %s", async (play, state) => {
    expect((await openRun(play)).states()).toEqual([state]);
  });

  test("its phases are buttons in their order, the one at work selected and followed", async () => {
    const look = await openRun("full");
    const nodes = look.all("button.node");
    expect(nodes.map(({ dataset }) => dataset["phase"])).toEqual([
      "sync",
      "integrate",
      "classify",
      "export",
    ]);
    expect(nodes.map((node) => node.getAttribute("aria-pressed"))).toEqual([
      "false",
      "true",
      "false",
      "false",
    ]);
    expect(look.hasButton("Following")).toBe(true);
  });

  test("arrow keys follow the edges, and stop at the end", async () => {
    const look = await openRun("full");
    const [sync, integrate] = look.all("button.node");
    sync?.focus();
    await view.press("ArrowRight");
    expect(document.activeElement).toBe(integrate);
    await view.press("ArrowLeft");
    expect(document.activeElement).toBe(sync);
    expect(await view.press("ArrowLeft")).toBe(false);
    expect(document.activeElement).toBe(sync);
  });

  test("choosing a phase ends the following; Follow goes back to the one at work", async () => {
    const look = await openRun("full");
    await look.click(look.all("button.node")[3]!);
    expect(look.all(".phase-detail")[0]?.textContent).toContain("It has not begun.");
    await look.click(look.button("Follow"));
    expect(look.all("button.node")[1]?.getAttribute("aria-pressed")).toBe("true");
  });

  test("only a phase that reports has a bar", async () => {
    const look = await openRun("full");
    const bars = look.all(".node [role=progressbar]");
    expect(bars).toHaveLength(1);
    expect(bars[0]?.closest<HTMLElement>(".node")?.dataset["phase"]).toBe("integrate");
  });

  test("the edge after a phase that failed is blocked, in shape and not in colour alone", async () => {
    const look = await openRun("full", FAILED);
    const looks = look.all(".graph-edges > path").map((path) => path.getAttribute("class"));
    expect(looks).toEqual(["edge is-done", "edge is-done", "edge is-blocked"]);
  });

  test("the Gantt tells how long each took, and what is usual for the one at work", async () => {
    const look = await openRun("full");
    await look.click(look.button("Gantt"));
    const rows = look.all(".gantt-row").map((row) => row.textContent);
    expect(rows[0]).toMatch(/sync38 s$/);
    expect(rows[1]).toMatch(/integrate2m 26slonger than usual \(38 s\)$/);
    expect(rows[2]).toMatch(/classifyusually 38 s$/);
  });

  test("the table tells the same", async () => {
    const look = await openRun("full");
    await look.click(look.button("Table"));
    expect(look.rows().map((row) => row.textContent)).toEqual([
      expect.stringMatching(/^syncCompleted/),
      expect.stringMatching(/^integrateRunning/),
      expect.stringMatching(/^classifyNot started/),
      expect.stringMatching(/^exportNot started/),
    ]);
  });

  test("who may not start it at its level, or cancel what another started, is told so", async () => {
    const look = await openRun("full");
    expect(look.isDisabled(look.button("Run again…"))).toBe(true);
    expect(look.text()).toContain("Run again: Needs the role Manager. You are Operator.");
    expect(look.text()).toContain("Cancel run: Needs the role Manager. You are Operator.");
    await look.as("operator1", "Operator");
    expect(look.isDisabled(look.button("Cancel run…"))).toBe(false);
  });

  test("again means the same phases, parameters and level, and leads to the new run", async () => {
    const look = await openRun("full");
    await look.as("bo", "Manager");
    await look.click(look.button("Run again…"));
    await look.answer("");
    expect(look.asked("run")).toEqual([
      {
        pipeline: "cls_all",
        phases: ["sync", "integrate", "classify", "export"],
        params: { root: "~/cls/november" },
        priority: 9,
      },
    ]);
    expect(view.dashboard.router.detail.value?.id).toBe("RunOfExample00000119");
  });

  test("cancelling asks first", async () => {
    const look = await openRun("full");
    await look.as("bo", "Manager");
    await look.click(look.button("Cancel run…"));
    await look.answer(null);
    expect(look.asked("cancel_run")).toEqual([]);
    await look.click(look.button("Cancel run…"));
    await look.answer("wrong folder");
    expect(look.asked("cancel_run")).toEqual([{ id: RUNNING, reason: "wrong folder" }]);
  });
});
