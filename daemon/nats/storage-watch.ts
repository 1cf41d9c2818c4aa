import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { describe } from "../../shared/errors.ts";
import type { Log } from "../log.ts";

const LOOK_EVERY_MS = 1000;
const ANSWER_LIMIT_MS = 2000;
/** So much must fit again before the server is tried: with less it would fill up in the next moment. */
const PROBE_BYTES = 4 * 1_048_576;

export interface StorageWatchDeps {
  /** Of the monitoring pages; null while they are off or the server is down. */
  httpUrl(): string | null;
  readonly storeDir: string;
  /** Ends the server in order; its supervisor starts it again. */
  restart(): Promise<void>;
  /** The server cannot write any more. */
  onFailed(what: string): void;
  readonly log: Log;
}

export interface StorageWatch {
  /** What the server could not write; null while it can. */
  failure(): string | null;
  stop(): Promise<void>;
}

/**
 * Watches whether the server can write its store. After one failed write (a full disk) it answers no publish to that
 * stream any more, not even with a refusal, and never tries again by itself: it tells of it on its health page alone. So
 * the failure is told here, and once the directory takes files again the server is started anew, which loses nothing.
 */
export function startStorageWatch(deps: StorageWatchDeps): StorageWatch {
  let failure: string | null = null;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const found = await writeFailure(deps.httpUrl());
    if (found === "unknown") return;
    if (found !== null && failure === null) {
      deps.log.error("nats-server cannot write", { why: found });
      deps.onFailed(found);
    }
    if (found === null && failure !== null) deps.log.info("nats-server writes again");
    failure = found;
    if (failure !== null && !stopped && (await hasSpace(deps.storeDir))) {
      deps.log.warn("nats-server is started again: there is space now");
      await deps.restart();
    }
  }

  const arm = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      looking = look()
        .catch((error: unknown) => deps.log.warn("storage not looked at", { why: describe(error) }))
        .finally(arm);
    }, LOOK_EVERY_MS);
  };
  arm();
  return {
    failure: () => failure,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
    },
  };
}

/** What the health page says of a failed write; null when there is none, `unknown` when the page does not answer. */
async function writeFailure(httpUrl: string | null): Promise<string | null | "unknown"> {
  if (httpUrl === null) return "unknown";
  try {
    const { error = "" } = (await readJson(`${httpUrl}/healthz`)) as { error?: string };
    return /write error: (.*)/.exec(error)?.[1] ?? null;
  } catch {
    // Ignored: a server that is down or starting says nothing about its disk.
    return "unknown";
  }
}

/** By the plain client: compiling the parser that `fetch` brings would cost this process 15 MB for good. */
async function readJson(url: string): Promise<unknown> {
  const request = get(url, { signal: AbortSignal.timeout(ANSWER_LIMIT_MS) });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return json(response);
}

async function hasSpace(directory: string): Promise<boolean> {
  const probe = join(directory, ".space-probe");
  try {
    await writeFile(probe, Buffer.alloc(PROBE_BYTES), { mode: 0o600 });
    return true;
  } catch {
    // Ignored: this very failure is what is being waited out.
    return false;
  } finally {
    await rm(probe, { force: true });
  }
}
