import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../shared/bus/client.ts";
import type { ConnectionCause, ConnectionEvent } from "../../shared/connection.ts";
import { PROTOCOL_VERSION, type ResponseOf } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { backoffMs } from "./backoff.ts";
import { causeOf, isFinal } from "./causes.ts";
import type { Link, OpenLink, Target } from "./client.ts";
import type { Located } from "./locate.ts";

/** What a session needs. */
export interface SessionDeps {
  readonly open: OpenLink;
  /** Looks for the daemon of this machine; null for a daemon elsewhere. */
  readonly locate: (() => Located) | null;
  dispatch(event: ConnectionEvent): void;
  /** Hears of the client as soon as the daemon has answered it. */
  opened(client: Client, identity: ResponseOf["whoami"]): void;
  now(): number;
  random(): number;
}

const LOOK_EVERY_MS = 250;
/** A daemon that is started again has its lease back within this time; longer, and it counts as gone. */
const GONE_AFTER_MS = 2000;
const RTT_EVERY_MS = 10_000;
/** A daemon of this machine is asked again at once; one elsewhere with growing pauses. */
const LOCAL_DELAY_MS = 200;
/** So often a broker without a daemon is asked before the session is given up. */
const GREETINGS = 20;

/** How a session ended. `opened`: the daemon had answered at least once. */
export interface SessionEnd {
  readonly cause: ConnectionCause;
  readonly opened: boolean;
}

/**
 * Holds one connection from its first attempt to its end: greets the daemon, follows losses and returns, measures the
 * round trip, goes after a daemon that came back at another address. Ends when the connection is closed for good, when
 * the daemon of this machine is gone, or by `signal`.
 */
export async function holdSession(
  deps: SessionDeps,
  target: Target,
  signal: AbortSignal,
): Promise<SessionEnd> {
  let link: Link | null = null;
  const { url, where } = target;
  const mind: Mind = {
    opened: false,
    cause: null,
    attempt: 0,
    triedAt: 0,
    delayMs: LOCAL_DELAY_MS,
    toldAt: 0,
    url,
    where,
  };
  try {
    link = await deps.open(target, () => delayMs(deps, mind));
    await live(deps, link, mind, signal);
    return { cause: mind.cause ?? CLOSED, opened: mind.opened };
  } catch (error) {
    return { cause: causeOf(error), opened: mind.opened };
  } finally {
    await link?.close();
  }
}

const CLOSED: ConnectionCause = { code: "closed", detail: "the connection was closed" };

/** What a session remembers between its events. */
interface Mind {
  opened: boolean;
  /** Of the present outage, or of the end. */
  cause: ConnectionCause | null;
  /** Attempts to reconnect since the loss. */
  attempt: number;
  /** When the last of them began, and how long after it the next one is made. */
  triedAt: number;
  delayMs: number;
  /** The instant of the next attempt that was told. */
  toldAt: number;
  url: string;
  readonly where: string;
}

/** A further attempt begins now; the next one, should it fail, waits longer. */
function tryAgain(deps: SessionDeps, mind: Mind): void {
  mind.attempt += 1;
  mind.triedAt = deps.now();
  mind.delayMs = deps.locate === null ? backoffMs(mind.attempt, deps.random) : LOCAL_DELAY_MS;
  const cause = mind.cause ?? CLOSED;
  deps.dispatch({ kind: "retry", at: mind.triedAt, cause, nextTryAt: null });
}

/** The library asks again and again while it waits: the answer changes with an attempt, never with the asking. */
function delayMs(deps: SessionDeps, mind: Mind): number {
  const nextTryAt = mind.triedAt + mind.delayMs;
  if (nextTryAt !== mind.toldAt && mind.attempt > 0) {
    mind.toldAt = nextTryAt;
    deps.dispatch({ kind: "retry", at: deps.now(), cause: mind.cause ?? CLOSED, nextTryAt });
  }
  return mind.delayMs;
}

/** From the open link to its end; throws what ends it before its time. */
async function live(deps: SessionDeps, link: Link, mind: Mind, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  let end: (error?: unknown) => void = () => {};
  const ended = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  stop.addEventListener("abort", () => end());
  if (stop.aborted) end();
  void link.ended.then((error) => end(error ?? undefined));
  const lost = (cause: ConnectionCause): void => {
    mind.cause = cause;
    mind.attempt = 0;
    mind.delayMs = LOCAL_DELAY_MS;
    deps.dispatch({ kind: "lost", at: deps.now(), cause });
  };
  let greeting = Promise.resolve();
  const greetAgain = (): void => {
    // One greeting at a time: a connection that flutters would start many.
    greeting = greeting.then(() => greet(deps, link, mind, stop)).catch(end);
  };
  link.onStatus(({ type }) => {
    if (type === "disconnect") lost(CLOSED);
    if (type === "reconnecting") tryAgain(deps, mind);
    if (type === "reconnect") greetAgain();
  });
  const timers = [
    setInterval(() => measure(deps, link), RTT_EVERY_MS),
    ...(deps.locate === null
      ? []
      : [setInterval(createWatch({ deps, link, mind, lost, greetAgain, end }), LOOK_EVERY_MS)]),
  ];
  try {
    greetAgain();
    await ended;
  } finally {
    over.abort();
    for (const timer of timers) clearInterval(timer);
  }
}

/** Asks the daemon who it is and who we are, until it answers. */
async function greet(deps: SessionDeps, link: Link, mind: Mind, stop: AbortSignal): Promise<void> {
  for (let tries = 1; !stop.aborted; tries += 1) {
    try {
      if (!link.hasJetStream()) throw JETSTREAM_OFF;
      const { client } = link;
      const [status, identity] = await Promise.all([client.status(), client.request("whoami", {})]);
      if (stop.aborted) return;
      const { version: daemonVersion, protocol } = status.daemon;
      if (protocol !== PROTOCOL_VERSION)
        throw new AppError("daemon-version-mismatch", {
          found: protocol,
          needed: PROTOCOL_VERSION,
        });
      mind.opened = true;
      mind.cause = null;
      mind.attempt = 0;
      const { version: serverVersion } = status.nats;
      deps.opened(client, identity);
      deps.dispatch({
        kind: "opened",
        at: deps.now(),
        url: mind.url,
        daemonVersion,
        serverVersion,
      });
      measure(deps, link);
      return;
    } catch (error) {
      // A daemon that is starting answers soon; one of this machine is watched besides, so that it may take its time.
      const cause = causeOf(error);
      if (isFinal(cause) || (deps.locate === null && tries >= GREETINGS)) throw error;
      mind.cause = cause;
      await pause(LOOK_EVERY_MS, stop);
    }
  }
}

/** Not an AppError of the table: no client but this one looks for it. */
const JETSTREAM_OFF = Object.assign(new Error("the server has JetStream switched off"), {
  code: "JETSTREAM_OFF",
});

function measure(deps: SessionDeps, link: Link): void {
  link.rtt().then(
    (rttMs) => deps.dispatch({ kind: "rtt", at: deps.now(), rttMs }),
    // Ignored: a connection that is down has no round trip; its status tells of it.
    () => {},
  );
}

/** Follows the lease of the daemon: where it went, and whether it is gone. */
function createWatch(context: {
  readonly deps: SessionDeps;
  readonly link: Link;
  readonly mind: Mind;
  lost(cause: ConnectionCause): void;
  greetAgain(): void;
  end(error: unknown): void;
}): () => void {
  const { deps, link, mind } = context;
  let goneSince: number | null = null;
  let looks = 0;
  return () => {
    looks += 1;
    // While all is well a look each second is enough.
    if (mind.cause === null && looks % 4 !== 0) return;
    const found = deps.locate!();
    if (found.kind === "absent") {
      const now = deps.now();
      if (goneSince === null) context.lost(NO_DAEMON);
      goneSince ??= now;
      if (now - goneSince > GONE_AFTER_MS)
        context.end(new AppError("daemon-not-running", { dataDir: mind.where }));
      return;
    }
    if (found.kind === "mismatch") {
      const { protocol } = found.lease;
      context.end(
        new AppError("daemon-version-mismatch", { found: protocol, needed: PROTOCOL_VERSION }),
      );
      return;
    }
    if (found.lease.natsUrl !== mind.url && found.lease.state !== "stopping") {
      mind.url = found.lease.natsUrl;
      link.redirect(mind.url);
    }
    // The lease was late, after a sleep of the machine for example, while the connection itself held.
    if (goneSince !== null) context.greetAgain();
    goneSince = null;
  };
}

const NO_DAEMON: ConnectionCause = { code: "no-daemon", detail: "the daemon's process has ended" };

/** Waits `ms`, or until `stop`. */
export async function pause(ms: number, stop: AbortSignal): Promise<void> {
  // Ignored: being stopped is one of the two ways that a pause ends.
  await sleep(ms, undefined, { signal: stop }).catch(() => {});
}
