/** Plays the host of a dashboard with example data, in the state that is asked for. */
import type { ConnectionChange, ConnectionState } from "../../../../shared/connection.ts";
import type { WireError } from "../../../../shared/errors.ts";
import type { ViewCommand, ViewNotice, ViewVerb } from "../../../../shared/view/messages.ts";
import { EMPTY_ANSWERS, FULL_ANSWERS } from "./example-answers.ts";
import { EXAMPLE_NOW } from "./example-data.ts";
import { exampleBatch } from "./example-feed.ts";

export const PLAYS = ["full", "empty", "error", "stale", "loading", "denied"] as const;
export type Play = (typeof PLAYS)[number];

const CONNECTED: ConnectionState = {
  kind: "connected",
  since: EXAMPLE_NOW - 3_780_000,
  url: "nats://127.0.0.1:4222",
  rttMs: 1.2,
  daemonVersion: "0.1.0",
  serverVersion: "2.15.1",
};

const LOST: ConnectionState = {
  kind: "reconnecting",
  since: EXAMPLE_NOW - 14_000,
  attempt: 4,
  url: "nats://127.0.0.1:4222",
  cause: { code: "refused", detail: "connect ECONNREFUSED 127.0.0.1:4222" },
  nextTryAt: EXAMPLE_NOW + 6000,
};

const HOUR = 3_600_000;
const HISTORY: readonly ConnectionChange[] = [
  { at: EXAMPLE_NOW - 20 * HOUR, kind: "connected", cause: null },
  {
    at: EXAMPLE_NOW - 6 * HOUR,
    kind: "reconnecting",
    cause: { code: "closed", detail: "server shutdown" },
  },
  { at: EXAMPLE_NOW - 5.6 * HOUR, kind: "connected", cause: null },
  {
    at: EXAMPLE_NOW - 2 * HOUR,
    kind: "offline",
    cause: { code: "refused", detail: "ECONNREFUSED" },
  },
  { at: EXAMPLE_NOW - 1.05 * HOUR, kind: "connected", cause: null },
];

const BROKEN: WireError = {
  code: "audit-store-unavailable",
  message: "The audit database cannot be read: disk I/O error.",
  hint: "`msgsys doctor` says what is wrong with the disk.",
};
const DENIED: WireError = {
  code: "not-permitted",
  message: "grace (Viewer) may not see this.",
  hint: "It needs the role Operator or higher; an Admin can change roles with `msgsys user role`.",
};

function connectionNotice(play: Play, state: ConnectionState): ViewNotice {
  const lost: ConnectionChange[] =
    state.kind === "reconnecting"
      ? [{ at: state.since, kind: "reconnecting", cause: state.cause }]
      : [];
  return {
    type: "connection",
    state,
    history: play === "empty" ? [] : [...HISTORY, ...lost],
    identity: { user: "ada", role: play === "denied" ? "Viewer" : "Operator" },
    subscriptions:
      play === "empty"
        ? []
        : [
            { subject: "ms.fact.>", messages: 12_480, lastAt: EXAMPLE_NOW - 2000 },
            { subject: "ms.event.>", messages: 310, lastAt: EXAMPLE_NOW - 4000 },
            { subject: "events.>", messages: 0, lastAt: null },
          ],
  };
}

const HELLO: ViewNotice = {
  type: "hello",
  host: "browser",
  locale: "en-GB",
  texts: {},
  acts: ["remedy", "open-json", "open-source", "run-pipeline", "save", "copy"],
  remedies: ["start-daemon", "restart-daemon", "retry", "show-log", "open-settings"],
  limits: { oldestWaitMs: 120_000, backlog: 1000 },
};

/** Answers what a view sends, as the host would. `LOADING` never answers; `stale` loses its connection after a while. */
export function playHost(play: Play, post: (notice: ViewNotice) => void) {
  let state = CONNECTED;
  function outcomeOf(verb: ViewVerb, body: unknown) {
    if (play === "error") return { ok: false as const, error: BROKEN };
    if (play === "denied") return { ok: false as const, error: DENIED };
    const answers = play === "empty" ? EMPTY_ANSWERS : FULL_ANSWERS;
    return { ok: true as const, value: answers[verb](body as never) };
  }

  function greet(): void {
    post(HELLO);
    post(connectionNotice(play, state));
    post({ type: "live", on: true });
  }

  return {
    receive(command: ViewCommand): void {
      switch (command.type) {
        case "ready":
          greet();
          break;
        case "request":
          if (play !== "loading")
            post({ type: "reply", id: command.id, outcome: outcomeOf(command.verb, command.body) });
          break;
        case "feed":
          if (command.open && (play === "full" || play === "stale"))
            post({ type: "feed", batch: exampleBatch(1, 1, 120, { sampledOut: 480, dropped: 0 }) });
          break;
        case "host":
          post({ type: "reply", id: command.id, outcome: { ok: true, value: null } });
          break;
        case "live":
        case "feed-ack":
          break;
        default:
          command satisfies never;
      }
    },
    loseConnection(): void {
      state = LOST;
      post(connectionNotice(play, state));
    },
    batch(batch: number, from: number, count: number): void {
      post({ type: "feed", batch: exampleBatch(batch, from, count) });
    },
  };
}
