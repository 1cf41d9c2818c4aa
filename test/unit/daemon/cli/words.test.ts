import { describe, expect, test } from "vitest";
import { plain } from "../../../../daemon/cli/io.ts";
import { isAboutTask, logLineText, parseLogLine } from "../../../../daemon/cli/log-lines.ts";
import { createProgress } from "../../../../daemon/cli/progress.ts";
import { detailWords } from "../../../../daemon/cli/record-words.ts";
import { renderFields, renderTable } from "../../../../daemon/cli/table.ts";
import {
  parseDuration,
  parseLevel,
  parseParams,
  parseWhere,
} from "../../../../daemon/cli/values.ts";
import { bytesWords, relativeTime } from "../../../../daemon/cli/words.ts";
import { NOW_MS } from "./fake-io.ts";

describe("tables", () => {
  test("columns are aligned, numbers to the right, without trailing blanks", () => {
    const text = renderTable(
      [{ title: "Queue" }, { title: "Waiting", align: "right" }, { title: "Note" }],
      [
        ["etl", "12", ""],
        ["reports", "1,234", "slow"],
      ],
    );
    expect(text).toBe(
      ["Queue    Waiting  Note", "etl           12", "reports    1,234  slow"].join("\n"),
    );
  });

  test("colours take no room", () => {
    const text = renderTable([{ title: "A" }, { title: "B" }], [["\u001b[31mred\u001b[39m", "x"]]);
    expect(text.split("\n")[1]).toBe("\u001b[31mred\u001b[39m  x");
  });

  test("columns that may shrink give way to the width of the terminal, the others do not", () => {
    const text = renderTable(
      [{ title: "Id" }, { title: "Error", shrinks: true }],
      [["0123456789", "a very long message of an error"]],
      { width: 24 },
    );
    expect(text.split("\n")[1]).toBe("0123456789  a very long…");
  });

  test("fields without a value are left out, and further lines are indented", () => {
    expect(
      renderFields([
        ["Task", "etl.load"],
        ["Run", null],
        ["Files", "a\nb"],
      ]),
    ).toBe("Task   etl.load\nFiles  a\n       b");
  });
});

describe("values", () => {
  test.each([
    ["0", 0],
    ["10", 10],
    ["urgent", 9],
    ["Critical", 10],
    ["below-normal", 4],
  ])("%s is the level %i", (text, level) => {
    expect(parseLevel(text)).toBe(level);
  });

  test.each(["11", "-1", "5.5", "hot", ""])("%j is no level", (text) => {
    expect(() => parseLevel(text)).toThrow("is no level");
  });

  test.each([
    ["500ms", 500],
    ["30", 30_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ])("%s is %i ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test("conditions become a filter, and an unknown one names those that exist", () => {
    expect(parseWhere("status=waiting|retrying, min-level=high".replace("high", "8"))).toEqual({
      status: ["waiting", "retrying"],
      minLevel: 8,
    });
    expect(() => parseWhere("colour=red")).toThrow("keys are status, queue");
  });

  test("parameters are JSON where they can be, else text", () => {
    expect(parseParams(["n=3", "on=true", "path=/a=b", 'list=["x"]'])).toEqual({
      n: 3,
      on: true,
      path: "/a=b",
      list: ["x"],
    });
  });
});

describe("words", () => {
  test("instants are told from now", () => {
    const at = (ms: number): string => new Date(NOW_MS + ms).toISOString();
    expect([at(-200), at(-90_000), at(900_000)].map((iso) => relativeTime(iso, NOW_MS))).toEqual([
      "just now",
      "1m 30s ago",
      "in 15m 00s",
    ]);
  });

  test("bytes are told in thousands", () => {
    expect([999, 27_900, 443_000, 74_700_000].map(bytesWords)).toEqual([
      "999 B",
      "27.9 kB",
      "443 kB",
      "74.7 MB",
    ]);
  });

  test("a journal record is told in words", () => {
    expect(
      detailWords({ s: "waiting", g: 2, a: 0, l: 9, t: 1, from: 5, act: "urgent", why: "late" }),
    ).toBe("generation 2, level 5 → 9 Urgent, urgent, “late”");
  });
});

describe("log lines", () => {
  test("lines of the daemon and of workers are read alike", () => {
    const daemon = parseLogLine('{"level":30,"time":1777636800000,"event":"ready","pid":1}');
    const worker = parseLogLine(
      '{"level":50,"time":"2026-05-01T12:00:00.000Z","event":"failed","taskId":"t1"}',
    );
    expect(daemon.time).toBe(worker.time);
    expect(logLineText(worker, plain)).toBe("2026-05-01 12:00:00.000  error  failed  taskId=t1");
    expect([isAboutTask(daemon, "t1"), isAboutTask(worker, "t1")]).toEqual([false, true]);
  });

  test("a line that is no JSON is shown as it is", () => {
    expect(logLineText(parseLogLine('{"level":30,"ti'), plain)).toBe('{"level":30,"ti');
  });
});

describe("progress", () => {
  const stepsOf = (errIsTerminal: boolean): string => {
    let err = "";
    let now = 0;
    const view = createProgress({
      err: (text) => {
        err += text;
      },
      errIsTerminal,
      now: () => now,
    });
    for (const [done, at] of [
      [1, 0],
      [2, 400],
      [3, 1000],
    ] as const) {
      now = at;
      view.update({ label: "sync", done, total: 4, what: "rows" });
    }
    view.end();
    return err;
  };

  test("off a terminal it is plain lines, at most one a second", () => {
    expect(stepsOf(false)).toBe("sync:  25 %  1 of 4 rows\nsync:  75 %  3 of 4 rows\n");
  });

  test("on a terminal it is one line that moves and is gone at the end", () => {
    const text = stepsOf(true);
    expect(text).not.toContain("\n");
    expect(text.endsWith("\r\u001b[2K")).toBe(true);
  });
});
