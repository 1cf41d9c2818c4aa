import type { Client } from "../../shared/bus/client.ts";
import type {
  ConnectionCause,
  ConnectionChange,
  ConnectionState,
} from "../../shared/connection.ts";
import { PROTOCOL_VERSION, type ResponseOf } from "../../shared/control.ts";
import { AppError, describe } from "../../shared/errors.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import { createSource, type Observable } from "../observable.ts";
import { backoffMs } from "./backoff.ts";
import { causeOf, isFinal } from "./causes.ts";
import type { OpenLink, Target } from "./client.ts";
import { createConnectionRecord } from "./connection-record.ts";
import type { Located } from "./locate.ts";
import type { Login } from "./login.ts";
import { holdSession, pause } from "./session.ts";
import { askToEnd, waitGone } from "./stop-daemon.ts";

/** Which daemon: that of a data directory of this machine, or one behind an address. */
export type Place =
  | {
      readonly kind: "local";
      readonly dataDir: string;
      readonly tlsCertificate?: string | undefined;
    }
  | {
      readonly kind: "remote";
      readonly url: string;
      readonly prefix: string;
      readonly tlsCertificate?: string | undefined;
    };

/** What a connection needs; tests give their own. */
export interface ConnectionDeps {
  /** Asked before each attempt, so that a changed setting counts at once. */
  place(): Place;
  /** Who logs in there; null: nobody has signed in yet. Throws `credentials-unreadable`. */
  login(place: Place): Promise<Login | null>;
  locate(dataDir: string): Located;
  /** Starts a daemon, or adopts the one that runs. */
  spawn(dataDir: string): Promise<DaemonLease>;
  readonly open: OpenLink;
  now(): number;
  random(): number;
  log(event: string, data?: object): void;
}

/** The one connection of a window. */
export interface Connection {
  readonly state: Observable<ConnectionState>;
  readonly client: Observable<Client | null>;
  readonly identity: Observable<ResponseOf["whoami"] | null>;
  history(): readonly ConnectionChange[];
  /** Begins to look for the daemon, unless it does already. Starts none. */
  connect(): void;
  /** Tries at once instead of at the end of a pause. */
  retry(): void;
  /** Starts a daemon, or adopts the one that runs, and connects. Rejects with the daemon's own reason. */
  start(): Promise<void>;
  /** Ends the daemon for everybody and waits until it is gone. */
  stop(): Promise<void>;
  /** Leaves the daemon as it is, and connects nowhere until asked. */
  leave(): Promise<void>;
  /** The place or the login changed: begins anew, if it had begun. */
  reset(): void;
  /** Resolves once it is connected, offline or stopped, or after `limitMs`. */
  settled(limitMs: number): Promise<ConnectionState>;
  close(): Promise<void>;
}

/** A daemon of this machine is looked for so often. */
const LOOK_EVERY_MS = 1000;
/** The same while one is starting or stopping. */
const PASSING_LOOK_MS = 100;
/** Attempts before the connection is called offline; it is tried further in silence. */
const PATIENCE = 3;

/** Nothing to connect to yet; null: until something changes. */
interface Wait {
  readonly waitMs: number | null;
}

/** Where to connect, and as whom. */
interface Found {
  readonly place: Place;
  readonly target: Target;
}

export function createConnection(deps: ConnectionDeps): Connection {
  const record = createConnectionRecord((error) =>
    deps.log("connection listener failed", { why: describe(error) }),
  );
  const { state, dispatch } = record;
  const client = createSource<Client | null>(null);
  const identity = createSource<ResponseOf["whoami"] | null>(null);
  let loop: { readonly abort: AbortController; readonly done: Promise<void> } | null = null;
  let wake: () => void = () => {};
  let starting: Promise<void> | null = null;
  let startFailed = false;

  const forget = (): void => {
    client.set(null);
    identity.set(null);
  };

  const fail = (cause: ConnectionCause): void => {
    const now = state.get();
    // Who stopped the daemon knows that it is not there, and a reason why it did not start tells more than that.
    if (cause.code === "no-daemon" && (now.kind === "stopped" || startFailed)) return;
    if (starting !== null || (now.kind === "offline" && now.cause.code === cause.code)) return;
    deps.log("connection failed", { ...cause });
    dispatch({ kind: "gave-up", at: deps.now(), cause });
  };

  /** Waits, unless woken. */
  const rest = async (ms: number, signal: AbortSignal): Promise<void> => {
    const woken = new AbortController();
    wake = () => woken.abort();
    await pause(ms, AbortSignal.any([signal, woken.signal]));
  };

  /** Where to connect and as whom; or how long to wait for that, null: until woken. */
  async function look(): Promise<Found | Wait> {
    try {
      const place = deps.place();
      const target = place.kind === "local" ? lookHere(place.dataDir) : place;
      if ("waitMs" in target) return target;
      const login = await deps.login(place);
      const { url, prefix } = target;
      const where = place.kind === "local" ? place.dataDir : url;
      const { tlsCertificate } = place;
      if (login !== null)
        return { place, target: { ...login, url, prefix, where, tlsCertificate } };
      fail({ code: "not-signed-in", detail: url });
    } catch (error) {
      fail(causeOf(error));
    }
    return { waitMs: null };
  }

  function lookHere(dataDir: string): Pick<Target, "url" | "prefix"> | Wait {
    const found = deps.locate(dataDir);
    switch (found.kind) {
      case "ready":
        return { url: found.lease.natsUrl, prefix: found.lease.prefix };
      case "passing":
        if (found.lease.state === "starting") dispatch({ kind: "start", at: deps.now() });
        return { waitMs: PASSING_LOOK_MS };
      case "mismatch": {
        const { protocol } = found.lease;
        fail(
          causeOf(
            new AppError("daemon-version-mismatch", { found: protocol, needed: PROTOCOL_VERSION }),
          ),
        );
        return { waitMs: LOOK_EVERY_MS };
      }
      case "absent":
        fail(causeOf(new AppError("daemon-not-running", { dataDir })));
        return { waitMs: LOOK_EVERY_MS };
    }
  }

  async function hold({ place, target }: Found, signal: AbortSignal) {
    // After it was called offline, further attempts are made in silence: the state would flicker.
    const quiet = state.get().kind === "offline";
    if (!quiet) dispatch({ kind: "dial", at: deps.now(), url: target.url });
    const end = await holdSession(
      {
        open: deps.open,
        locate: place.kind === "local" ? () => deps.locate(place.dataDir) : null,
        dispatch: (event) => {
          if (!signal.aborted) dispatch(event);
        },
        opened(present, who) {
          if (signal.aborted) return;
          startFailed = false;
          identity.set(who);
          client.set(present);
        },
        now: deps.now,
        random: deps.random,
      },
      target,
      signal,
    );
    // After an abort they may belong to the next session already.
    if (!signal.aborted) forget();
    return end;
  }

  async function run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      // Ignored: whoever asked for the start is told why it failed.
      await starting?.catch(() => {});
      const found = await look();
      if (signal.aborted) return;
      if ("waitMs" in found) {
        await rest(found.waitMs ?? FOREVER_MS, signal);
        continue;
      }
      const { cause, opened } = await hold(found, signal);
      if (signal.aborted) return;
      deps.log("session ended", { ...cause, opened });
      failures = opened ? 1 : failures + 1;
      if (opened || isFinal(cause) || failures >= PATIENCE) fail(cause);
      const local = found.place.kind === "local";
      // A daemon of this machine may come back any moment, and its lease is cheap to look at.
      if (isFinal(cause)) await rest(local ? LOOK_EVERY_MS * 10 : FOREVER_MS, signal);
      else await rest(local && opened ? PASSING_LOOK_MS : backoffMs(failures, deps.random), signal);
    }
  }

  const begin = (): void => {
    if (loop !== null) return;
    const abort = new AbortController();
    const done = run(abort.signal).catch((error: unknown) => {
      deps.log("connection loop failed", { why: describe(error) });
      fail(causeOf(error));
      loop = null;
    });
    loop = { abort, done };
  };

  const end = async (): Promise<void> => {
    const ending = loop;
    loop = null;
    ending?.abort.abort();
    forget();
    await ending?.done;
  };

  async function start(): Promise<void> {
    const place = deps.place();
    if (place.kind === "remote")
      throw new AppError("bad-usage", {
        what: `The daemon behind ${place.url} runs on another machine; it cannot be started from here.`,
      });
    if (state.get().kind === "connected") return;
    starting ??= startHere(place.dataDir).finally(() => {
      starting = null;
      wake();
    });
    await starting;
    begin();
    wake();
  }

  async function startHere(dataDir: string): Promise<void> {
    startFailed = false;
    dispatch({ kind: "start", at: deps.now() });
    try {
      const lease = await deps.spawn(dataDir);
      deps.log("daemon is ready", { pid: lease.pid, version: lease.version, url: lease.natsUrl });
    } catch (error) {
      startFailed = true;
      const cause = causeOf(error);
      deps.log("daemon did not start", { ...cause });
      dispatch({ kind: "gave-up", at: deps.now(), cause });
      throw error;
    }
  }

  async function stop(): Promise<void> {
    const place = deps.place();
    if (place.kind === "remote")
      throw new AppError("bad-usage", {
        what: `The daemon behind ${place.url} runs on another machine; it cannot be stopped from here.`,
      });
    const found = deps.locate(place.dataDir);
    if (found.kind !== "absent") await askToEnd(client.get(), found.lease);
    await end();
    if (found.kind !== "absent") await waitGone(() => deps.locate(place.dataDir), found.lease);
    dispatch({ kind: "stop", at: deps.now() });
    // Goes on looking: another window or a terminal may start one.
    begin();
  }

  return {
    state,
    client,
    identity,
    history: record.history,
    connect: begin,
    retry() {
      startFailed = false;
      const now = state.get();
      if (now.kind === "stopped") dispatch({ kind: "dial", at: deps.now(), url: "" });
      begin();
      wake();
    },
    start,
    stop,
    async leave() {
      await end();
      dispatch({ kind: "stop", at: deps.now() });
    },
    reset() {
      if (loop === null) return;
      void end().then(begin);
    },
    settled: (limitMs) => settled(state, limitMs),
    close: end,
  };
}

/** The longest that a timer of Node can wait. */
const FOREVER_MS = 2 ** 31 - 1;

async function settled(
  state: Observable<ConnectionState>,
  limitMs: number,
): Promise<ConnectionState> {
  const isSettled = ({ kind }: ConnectionState): boolean =>
    kind === "connected" || kind === "offline" || kind === "stopped";
  if (isSettled(state.get())) return state.get();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      forget();
      resolve(state.get());
    };
    const timer = setTimeout(done, limitMs);
    const forget = state.onChange((now) => isSettled(now) && done());
  });
}
