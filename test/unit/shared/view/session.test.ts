import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { FollowEvent } from "../../../../shared/bus/follow.ts";
import { AppError } from "../../../../shared/errors.ts";
import type { JournalRecord } from "../../../../shared/task.ts";
import type { ViewNotice } from "../../../../shared/view/messages.ts";
import { createViewSession, type HostActs } from "../../../../shared/view/session.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

type Answer = (verb: string, body: unknown, options?: { level?: number | undefined }) => unknown;

function open(options: { answer?: Answer; acts?: HostActs; offline?: boolean } = {}) {
  const posted: ViewNotice[] = [];
  const asked: { verb: string; body: unknown; level: number | undefined }[] = [];
  const listeners = new Set<(event: FollowEvent) => void>();
  const client = {
    request: async (verb: string, body: unknown, more?: { level?: number | undefined }) => {
      asked.push({ verb, body, level: more?.level });
      return options.answer?.(verb, body, more);
    },
  };
  const session = createViewSession({
    client: () => (options.offline === true ? null : (client as never)),
    follow(callback) {
      listeners.add(callback);
      return { stop: () => listeners.delete(callback) };
    },
    connection: () => ({ state: { kind: "idle" }, history: [], identity: null, subscriptions: [] }),
    hello: () => ({
      host: "browser",
      locale: "en",
      texts: {},
      remedies: [],
      limits: { oldestWaitMs: 1, backlog: 1 },
    }),
    acts: options.acts ?? {},
    post: (notice) => posted.push(notice),
  });
  return {
    session,
    posted,
    asked,
    listeners,
    types: () => posted.map(({ type }) => type),
    of: <T extends ViewNotice["type"]>(type: T) =>
      posted.filter((notice): notice is Extract<ViewNotice, { type: T }> => notice.type === type),
    happen(event: FollowEvent) {
      for (const listener of listeners) listener(event);
    },
  };
}

function task(id: string, s: JournalRecord["s"] = "completed"): FollowEvent {
  const record: JournalRecord = { s, g: 1, a: 1, l: 5, t: 0, n: "etl.load" };
  return {
    kind: "task",
    at: "2026-05-01T08:00:00.000Z",
    taskId: id,
    queue: "etl",
    status: s,
    record,
  };
}

/** Lets promises settle; time stands. */
const settle = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => {});

describe("requests", () => {
  test("a request is answered under its number with what the daemon said", async () => {
    const view = open({ answer: () => ({ queues: [] }) });
    view.session.receive({ type: "request", id: 7, verb: "queues", body: {} });
    await settle();
    expect(view.of("reply")).toEqual([
      { type: "reply", id: 7, outcome: { ok: true, value: { queues: [] } } },
    ]);
  });

  test("a refusal of the daemon reaches the view as it is", async () => {
    const refusal = new AppError("not-permitted", {
      user: "vera",
      role: "Viewer",
      act: "cancel",
      needs: "Operator",
    });
    const view = open({
      answer() {
        throw refusal;
      },
    });
    view.session.receive({ type: "request", id: 1, verb: "cancel", body: { ids: ["a"] } });
    await settle();
    expect(view.of("reply")[0]?.outcome).toEqual({ ok: false, error: refusal.toWire() });
  });

  test.each([
    ["a verb that no dashboard may use", { type: "request", id: 3, verb: "user_add", body: {} }],
    [
      "a body that is none of the verb's",
      { type: "request", id: 3, verb: "get", body: { id: "../../x" } },
    ],
  ])("%s is refused, and the daemon is not asked", async (_, command) => {
    const view = open();
    view.session.receive(command);
    await settle();
    expect(view.of("reply")).toMatchObject([
      { id: 3, outcome: { ok: false, error: { code: "bad-usage" } } },
    ]);
    expect(view.asked).toEqual([]);
  });

  test.each([[null], ["text"], [{ type: "request" }], [{ type: "evil", id: {} }], [[]]])(
    "what is no command at all (%j) changes nothing and answers nothing",
    async (value) => {
      const view = open();
      view.session.receive(value);
      await settle();
      expect([view.posted, view.asked]).toEqual([[], []]);
    },
  );

  test("without a connection a request is answered at once, and says that nothing was done", async () => {
    const view = open({ offline: true });
    view.session.receive({ type: "request", id: 1, verb: "status", body: {} });
    await settle();
    expect(view.of("reply")).toMatchObject([
      { outcome: { ok: false, error: { code: "connection-lost" } } },
    ]);
  });

  test("an act that sets a level names the higher of the task's present one and the wanted one", async () => {
    const view = open({
      answer: (verb) => (verb === "get" ? { priority: 9, priorityHistory: [] } : {}),
    });
    const body = { ids: ["a"], to: 8, reason: "late" };
    view.session.receive({ type: "request", id: 1, verb: "escalate", body });
    await settle();
    expect(view.asked.map(({ verb, level }) => [verb, level])).toEqual([
      ["get", undefined],
      ["escalate", 9],
    ]);
  });

  test("an act on many names the highest level that its user may set", async () => {
    const view = open({
      answer: (verb) => (verb === "whoami" ? { user: "max", role: "Manager" } : {}),
    });
    const body = { where: { queue: "etl" }, to: 2, reason: "later" };
    view.session.receive({ type: "request", id: 1, verb: "escalate", body });
    await settle();
    expect(view.asked.at(-1)).toMatchObject({ verb: "escalate", level: 9 });
  });

  test("sixteen requests are asked at once, the others in their turn, and every one is answered", async () => {
    const waiting: (() => void)[] = [];
    const view = open({ answer: () => new Promise<void>((resolve) => waiting.push(resolve)) });
    for (let id = 0; id < 20; id += 1)
      view.session.receive({ type: "request", id, verb: "queues", body: {} });
    expect(view.asked).toHaveLength(16);
    waiting[0]?.();
    await settle();
    expect(view.asked).toHaveLength(17);
    for (let n = 1; n < 20; n += 1) {
      waiting[n]?.();
      await settle();
    }
    expect(view.of("reply").map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, id) => id));
  });
});

describe("acts of the host", () => {
  test("one that this host can do is done and answered", async () => {
    const copied: string[] = [];
    const view = open({ acts: { copy: async ({ text }) => void copied.push(text) } });
    view.session.receive({ type: "host", id: 2, act: { kind: "copy", text: "t1" } });
    await settle();
    expect(copied).toEqual(["t1"]);
    expect(view.of("reply")).toEqual([
      { type: "reply", id: 2, outcome: { ok: true, value: null } },
    ]);
  });

  test("one that it cannot do is refused in words", async () => {
    const view = open();
    view.session.receive({ type: "host", id: 2, act: { kind: "open-source", task: "etl.load" } });
    await settle();
    expect(view.of("reply")).toMatchObject([
      { id: 2, outcome: { ok: false, error: { code: "bad-usage" } } },
    ]);
  });
});

describe("a view that comes", () => {
  test("is told who it talks to, the connection, and where to go", () => {
    const view = open();
    view.session.navigate({ screen: "task", id: "t1" });
    view.session.connectionChanged();
    expect(view.posted).toEqual([]);
    view.session.receive({ type: "ready" });
    expect(view.types()).toEqual(["hello", "connection", "live", "navigate"]);
    view.session.connectionChanged();
    expect(view.types().at(-1)).toBe("connection");
  });

  test("that is hidden listens to nothing, and finds where it was sent meanwhile when it is back", () => {
    const view = open();
    view.session.receive({ type: "ready" });
    view.session.hidden();
    const before = view.posted.length;
    view.session.navigate({ screen: "task", id: "t1" });
    view.session.connectionChanged();
    expect([view.listeners.size, view.posted.length]).toEqual([0, before]);
    view.session.receive({ type: "ready" });
    expect(view.of("navigate")).toMatchObject([{ address: { screen: "task", id: "t1" } }]);
    expect(view.listeners.size).toBe(1);
  });

  test("that is loaded anew begins with a closed feed and full credit", () => {
    const view = open();
    view.session.receive({ type: "ready" });
    view.session.receive({ type: "feed", open: true });
    view.session.receive({ type: "ready" });
    view.happen(task("a"));
    vi.advanceTimersByTime(1000);
    expect(view.of("feed").flatMap(({ batch }) => batch.rows)).toEqual([]);
    expect(view.listeners.size).toBe(1);
  });
});

describe("what flows by itself", () => {
  test("changes are told at most four times a second", () => {
    const view = open();
    view.session.receive({ type: "ready" });
    for (let n = 0; n < 100; n += 1) {
      view.happen(task(`t${n}`));
      vi.advanceTimersByTime(10);
    }
    expect(view.of("changed").length).toBeGreaterThanOrEqual(3);
    expect(view.of("changed").length).toBeLessThanOrEqual(4);
  });

  test("nothing flows to a view that is not there yet, and no timer runs while nothing happens", () => {
    const view = open();
    view.happen(task("a"));
    vi.advanceTimersByTime(1000);
    expect(view.posted).toEqual([]);
    view.session.receive({ type: "ready" });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an open feed brings rows within a tenth of a second, and waits for acknowledgements after two batches", () => {
    const view = open();
    view.session.receive({ type: "ready" });
    view.session.receive({ type: "feed", open: true });
    vi.advanceTimersByTime(100);
    for (let n = 0; n < 5; n += 1) {
      view.happen(task(`t${n}`));
      vi.advanceTimersByTime(100);
    }
    expect(view.of("feed").map(({ batch }) => batch.batch)).toEqual([1, 2]);
    view.session.receive({ type: "feed-ack", batch: 2 });
    vi.advanceTimersByTime(100);
    const rows = view.of("feed").flatMap(({ batch }) => batch.rows);
    expect(rows.map(({ taskId }) => taskId)).toEqual(["t0", "t1", "t2", "t3", "t4"]);
  });

  test("a view that never acknowledges costs no timer", () => {
    const view = open();
    view.session.receive({ type: "ready" });
    view.session.receive({ type: "feed", open: true });
    for (let n = 0; n < 5; n += 1) {
      view.happen(task(`t${n}`));
      vi.advanceTimersByTime(300);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  test("with live data off nothing is listened to; back on, everything may have changed", () => {
    const view = open();
    view.session.receive({ type: "ready" });
    view.session.receive({ type: "live", on: false });
    expect(view.listeners.size).toBe(0);
    view.happen(task("a"));
    vi.advanceTimersByTime(1000);
    expect(view.of("changed")).toEqual([]);
    view.session.receive({ type: "live", on: true });
    expect(view.of("changed")).toMatchObject([
      { changed: { queues: true, dead: true, tasks: null } },
    ]);
    expect(view.of("live").map(({ on }) => on)).toEqual([true, false, true]);
  });

  test("closed, it listens to nothing, answers nothing and leaves no timer", async () => {
    const view = open({ answer: () => ({}) });
    view.session.receive({ type: "ready" });
    view.session.receive({ type: "feed", open: true });
    view.happen(task("a"));
    view.session.receive({ type: "request", id: 1, verb: "status", body: {} });
    const before = view.posted.length;
    view.session.close();
    await settle();
    expect([view.listeners.size, vi.getTimerCount(), view.posted.length]).toEqual([0, 0, before]);
  });
});
