import { open, stat } from "node:fs/promises";
import { describe } from "../../shared/errors.ts";
import type { Log } from "../log.ts";

const LOOK_EVERY_MS = 500;
/** One look reads at most so much: who floods the server with refused requests fills its log, not our memory. */
const READ_LIMIT_BYTES = 256 * 1024;

/** Something that the server refused to a login. */
export interface Violation {
  readonly publicKey: string;
  readonly act: "publish" | "subscribe";
  readonly subject: string;
  /** How often since the last look. */
  readonly times: number;
}

export interface ViolationsDeps {
  /** The server's log. */
  readonly file: string;
  readonly onViolation: (violation: Violation) => void;
  readonly log: Log;
}

/**
 * Follows the server's log for what it refused. The broker refuses by itself and tells nobody but the client, so this is
 * the one place where the daemon can learn of a refusal that never reached it. Equal ones within a look count as one.
 */
export async function followViolations(deps: ViolationsDeps): Promise<{ stop(): Promise<void> }> {
  let offset = await sizeOf(deps.file);
  let rest = "";
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    const size = await sizeOf(deps.file);
    // The server began a new file: the old one was full.
    if (size < offset) offset = 0;
    if (size === offset) return;
    const from = Math.max(offset, size - READ_LIMIT_BYTES);
    const lines = (rest + (await read(deps.file, from, size))).split("\n");
    offset = size;
    rest = lines.pop() ?? "";
    for (const violation of parseViolations(lines)) deps.onViolation(violation);
  }

  const lookAndTell = (): Promise<void> =>
    look().catch((error: unknown) =>
      deps.log.warn("refusals of the server not read", { why: describe(error) }),
    );
  const arm = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      looking = lookAndTell().finally(arm);
    }, LOOK_EVERY_MS);
  };
  arm();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await looking;
      await lookAndTell();
    },
  };
}

/** The refusals in these lines, equal ones together. */
export function parseViolations(lines: readonly string[]): Violation[] {
  const found = new Map<string, Violation>();
  for (const line of lines) {
    const one = parseViolation(line);
    if (one === null) continue;
    const key = `${one.publicKey} ${one.act} ${one.subject}`;
    found.set(key, { ...one, times: (found.get(key)?.times ?? 0) + 1 });
  }
  return [...found.values()];
}

/**
 * `… "<name>" - "MS/nkey:U…" - Publish Violation - Subject "ms.api.v1.ann.run.9"`, or null for any other line. The name
 * is the client's own choice and stands before, so the last key counts; a subject holds no blank and cannot pass for one.
 */
function parseViolation(line: string): Omit<Violation, "times"> | null {
  const match =
    /^.*"[^"]*\/nkey:(U[A-Z2-7]{55})" - (Publish|Subscription) Violation - .*?Subject "([^"]*)"/.exec(
      line,
    );
  if (match === null) return null;
  const [, publicKey = "", act, subject = ""] = match;
  return { publicKey, act: act === "Publish" ? "publish" : "subscribe", subject };
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    // Ignored: the server has not written yet, or begins a new file in this moment.
    return 0;
  }
}

async function read(file: string, from: number, to: number): Promise<string> {
  const handle = await open(file, "r");
  try {
    const buffer = Buffer.alloc(to - from);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
