import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../../../extension/contributions.ts";
import { fenced, line, lines, markdownText } from "../../../../extension/views/foreign.ts";
import { runTooltip, TOOLTIP_COMMANDS, taskTooltip } from "../../../../extension/views/tooltips.ts";
import type { TaskDetail } from "../../../../shared/control.ts";
import { aContext, aDetail, aRun, secondsAgo } from "../../../support/work-views.ts";

const tooltip = (part: Partial<TaskDetail>, words: readonly string[] = []): string =>
  taskTooltip(aDetail(part), null, aContext(), words);

describe("a task's tooltip", () => {
  test("tells state, why it waits, who enqueued it, its params and its last three changes", () => {
    const change = (from: number, to: number, reason: string | null) => ({
      at: secondsAgo(600),
      by: "ada",
      role: "Admin" as const,
      from,
      to,
      action: "raise" as const,
      reason,
    });
    const text = taskTooltip(
      aDetail({
        priority: 9,
        traceId: "7f3a",
        priorityHistory: [
          change(1, 2, null),
          change(2, 5, null),
          change(5, 8, null),
          change(8, 9, "customer call"),
        ],
      }),
      {
        id: "x",
        status: "waiting",
        sentence: "It waits behind 4 tasks.",
        position: 5,
        etaMs: null,
      },
      aContext(),
      ["escalatable"],
    );
    expect(text).toContain("**etl\\.load** Waiting · 9 Urgent");
    expect(text).toContain("It waits behind 4 tasks\\.");
    expect(text).toContain("by ada on etl");
    expect(text).toContain('```json\n{"table":"orders"}\n```');
    expect(text).toContain("- 8 → 9 Urgent by ada\\, 10 min\\. ago&#58; “customer call”");
    expect(text).not.toContain("1 → 2");
    expect(text).toContain("trace 7f3a");
    expect(text).toContain("[Escalate…](command:msgSys.task.escalate?");
  });

  test("shows the first 300 characters of the params", () => {
    const text = tooltip({ inputJson: `"${"x".repeat(1_000_000)}"` });
    expect(text.length).toBeLessThan(1500);
    expect(text).toContain(`"${"x".repeat(299)}…`);
  });

  test("params cannot leave their block, whatever they hold", () => {
    const inputJson =
      '"```\n[click](command:workbench.action.quit)\n````` <img src=x onerror=alert(1)>"';
    const text = tooltip({ inputJson });
    const [open] = /`{6,}json/.exec(text) ?? [];
    expect(open).toBe("``````json");
    const block = text.slice(text.indexOf("``````json"), text.lastIndexOf("``````"));
    expect(block).toContain("command:workbench.action.quit");
    expect(text.replace(block, "")).not.toContain("workbench");
  });

  test("names, users, reasons and errors of strangers make neither link nor mark-up", () => {
    const evil =
      "[x](command:workbench.action.quit) <b> https://evil.example $(zap) **b** &lt;i&gt;";
    const text = tooltip({
      name: evil,
      by: evil,
      status: "retrying",
      traceId: evil,
      priorityHistory: [
        {
          at: secondsAgo(1),
          by: evil,
          role: "Admin",
          from: 1,
          to: 2,
          action: "raise",
          reason: evil,
        },
      ],
    });
    expect(text).not.toMatch(/\]\(command:workbench/);
    expect(text).not.toContain("https://");
    expect(text).not.toContain("<b>");
    expect(text).toContain("&amp;lt\\;i");
    expect(text).not.toMatch(/(?<!\\)\$\(/);
  });

  test("links run only our own commands, and an id cannot end one", () => {
    const links = [
      ...tooltip({ id: "a)b](c", status: "dead" }, ["redrivable"]).matchAll(
        /\]\(command:([\w.]+)\?([^)]*)\)/g,
      ),
    ];
    expect(links.map(([, command]) => command)).toEqual([
      "msgSys.task.showDetail",
      "msgSys.deadLetter.redrive",
      "msgSys.task.copyId",
    ]);
    for (const [, command, args] of links) {
      expect(TOOLTIP_COMMANDS).toContain(command);
      expect(Object.keys(COMMANDS)).toContain(command);
      expect(JSON.parse(decodeURIComponent(args!))).toEqual([{ kind: "dead", id: "a)b](c" }]);
    }
  });

  test("a run tells its params and where it failed", () => {
    const run = aRun({ status: "failed", params: { root: "/data/`x`" } });
    const text = runTooltip(run, aContext(), ["run", "repeatable"]);
    expect(text).toContain('```json\n{"root":"/data/`x`"}\n```');
    expect(text).toContain("[Run Again](command:msgSys.run.again?");
  });
});

describe("texts of strangers", () => {
  test("what is invisible, turns the text or is no Unicode is shown by its code", () => {
    expect(line("a\u0000b\u202ec\u200bd\ud800e\u{e0041}")).toBe(
      "a⟨U+0000⟩b⟨U+202E⟩c⟨U+200B⟩d⟨U+D800⟩e⟨U+E0041⟩",
    );
  });

  test("joiners and pairs stay, so that scripts and emoji are whole", () => {
    expect(line("👩‍👧 नमस्ते 🎉")).toBe("👩‍👧 नमस्ते 🎉");
  });

  test("a line has no line breaks, a block keeps them", () => {
    expect([line("a\r\nb\tc"), lines("a\nb\tc\r", 99)]).toEqual(["a  b c", "a\nb\tc⟨U+000D⟩"]);
  });

  test("a text is cut without halving a character", () => {
    expect(line("12🎉4", 3)).toBe("12…");
  });

  test("of five megabytes only the beginning is looked at and shown", () => {
    const large = "\u202e[`".repeat(1_700_000);
    expect(markdownText(large).length + fenced(lines(large, 300)).length).toBeLessThan(9000);
  });
});
