import { type ChildProcessByStdio, spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { AppError, describe } from "../../../shared/errors.ts";
import { assetUrl } from "../../entry.ts";
import {
  createLineSplitter,
  type PhaseReport,
  parseReportLine,
  type ShimResult,
  toPipelineResult,
} from "./checkout-report.ts";
import type { CLSPipelineResult, ClsContext, ClsParams, ClsPhase } from "./params.ts";

const SHIM = fileURLToPath(assetUrl("pipelines/cls/checkout-shim.py"));
const PROGRESS_MS = 1_000;
/** Time from the polite to the final end of the process group. */
const KILL_AFTER_MS = 3_000;
/** Longer than any run the owner has measured (a full rebuild: minutes), short enough to notice a hang the same day. */
const TIME_LIMIT_MS = 2 * 60 * 60 * 1_000;
const STDERR_LINES = 200;
const MAX_LOGGED_CHARS = 1_024;
const MAX_WARNINGS = 100;
/** What the error carries of them; the log has all lines. */
const STDERR_DETAIL_CHARS = 16 * 1_024;
/** A process that left the group may hold the pipes open for ever. */
const PIPE_GRACE_MS = 1_000;

/** Variables that a Python needs to start and to find its own packages. Nothing else is handed on: the rest may hold secrets. */
const ENVIRONMENT = new Set([
  ...["PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"],
  ...["VIRTUAL_ENV", "CONDA_PREFIX", "PYENV_ROOT", "PYENV_VERSION", "LD_LIBRARY_PATH"],
  ...["SYSTEMROOT", "SYSTEMDRIVE", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"],
  ...["PATHEXT", "COMSPEC", "NUMBER_OF_PROCESSORS", "POLARS_MAX_THREADS"],
]);

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** How one run of the shim ended. */
interface ShimEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly report: PhaseReport;
  readonly result: ShimResult | null;
  readonly stderr: readonly string[];
  readonly timedOut: boolean;
}

/** Whether a user's Python checkout takes the place of this phase. */
export function servedByCheckout(params: ClsParams, phase: ClsPhase): boolean {
  return params.checkout !== undefined && params.checkoutPhases.includes(phase);
}

/**
 * Runs one phase in the user's Python checkout: one process per checkout at a time (a second one waits), a fixed environment, a time limit.
 * A dry run checks the imports only. Throws `checkout-failed` with what is missing or broken, and the signal's reason when it is
 * cancelled; in every case the whole process group is gone before this returns.
 */
export async function runCheckoutPhase(
  phase: ClsPhase,
  params: ClsParams,
  ctx: ClsContext,
  timeLimitMs: number = TIME_LIMIT_MS,
): Promise<CLSPipelineResult> {
  ctx.signal.throwIfAborted();
  const startedMs = performance.now();
  const folder = resolve(params.checkout ?? "");
  await requireFolder(folder);
  ctx.signal.throwIfAborted();
  const child = startShim(phase, folder, params);
  const end = await follow(child, phase, ctx, timeLimitMs);
  ctx.signal.throwIfAborted();
  const failure = explainFailure(end, folder, params.python, timeLimitMs);
  if (failure !== null) {
    ctx.log("error", "cls.checkout.failed", { phase, folder, stderr: end.stderr.slice(-20) });
    throw failure;
  }
  const durationMs = performance.now() - startedMs;
  const returned = end.result?.ok === true ? end.result.returned : null;
  return toPipelineResult(phase, returned, end.report.warnings, {
    dryRun: params.dryRun,
    durationMs,
  });
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch((error: unknown) => error);
  if (found instanceof Error || !(found as { isDirectory(): boolean }).isDirectory()) {
    throw new AppError("checkout-failed", {
      path: folder,
      what: found instanceof Error ? describe(found) : "it is no folder",
      remedy: "Name the folder of the checkout, the one with main.py, in cls.checkout.",
    });
  }
}

function startShim(phase: ClsPhase, folder: string, params: ClsParams): Child {
  const env: NodeJS.ProcessEnv = { PYTHONUNBUFFERED: "1", PYTHONUTF8: "1" };
  for (const [name, value] of Object.entries(process.env)) {
    if (ENVIRONMENT.has(name.toUpperCase())) env[name] = value;
  }
  env["MSGSYS_CLS_ROOT"] = params.root;
  if (params.out !== undefined) env["MSGSYS_CLS_OUT"] = params.out;
  // A group of its own, so that what the checkout starts can be ended with it.
  return spawn(params.python, [SHIM, params.dryRun ? "check" : "run", phase, folder], {
    cwd: folder,
    env,
    detached: process.platform !== "win32",
    windowsHide: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** Reads what the shim reports until it and its group are gone. Rejects only when Python cannot be started. */
function follow(
  child: Child,
  phase: ClsPhase,
  ctx: ClsContext,
  timeLimitMs: number,
): Promise<ShimEnd> {
  const report: PhaseReport = { lines: 0, warnings: [] };
  const stderr: string[] = [];
  let result: ShimResult | null = null;
  let timedOut = false;
  collect(
    child,
    stderr,
    (line) => {
      result = takeLine(line, phase, ctx, report) ?? result;
    },
    ctx,
    phase,
  );
  const beat = setInterval(() => {
    ctx.progress({ done: report.lines, total: null, what: `log lines of the checkout's ${phase}` });
  }, PROGRESS_MS);
  const stop = stopper(child);
  const limit = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeLimitMs);
  ctx.signal.addEventListener("abort", stop, { once: true });
  const settle = (): void => {
    clearInterval(beat);
    clearTimeout(limit);
    ctx.signal.removeEventListener("abort", stop);
  };
  return new Promise((done, fail) => {
    child.on("error", (error) => {
      settle();
      fail(cannotStart(error, child.spawnfile));
    });
    child.on("close", (code, signal) => {
      settle();
      done({ code, signal, report, result, stderr, timedOut });
    });
  });
}

function collect(
  child: Child,
  stderr: string[],
  takeStdout: (line: string) => void,
  ctx: ClsContext,
  phase: ClsPhase,
): void {
  // Writing to a life line whose reader is gone would fail; nothing is ever written, and its end is all it says.
  child.stdin.on("error", () => undefined);
  createLineSplitter(child.stdout, takeStdout);
  createLineSplitter(child.stderr, (line) => {
    const text = line.slice(0, MAX_LOGGED_CHARS);
    stderr.push(text);
    if (stderr.length > STDERR_LINES) stderr.shift();
    ctx.log("info", "cls.checkout.stderr", { phase, line: text });
  });
  child.on("exit", () => {
    killGroup(child, "SIGKILL");
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, PIPE_GRACE_MS).unref();
  });
}

/** One line of standard output: a report line is logged at its level, anything else as plain text. Answers the final result. */
function takeLine(
  line: string,
  phase: ClsPhase,
  ctx: ClsContext,
  report: PhaseReport,
): ShimResult | null {
  const parsed = parseReportLine(line);
  report.lines += 1;
  if (parsed.result !== undefined) return parsed.result;
  const text = parsed.msg.slice(0, MAX_LOGGED_CHARS);
  if (parsed.level === "warn" && report.warnings.length < MAX_WARNINGS) report.warnings.push(text);
  ctx.log(parsed.level, "cls.checkout.line", { phase, line: text });
  return null;
}

/** Ends the group politely, then for good. Safe to call again. */
function stopper(child: Child): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    killGroup(child, "SIGTERM");
    const last = setTimeout(() => killGroup(child, "SIGKILL"), KILL_AFTER_MS);
    child.on("close", () => clearTimeout(last));
  };
}

function killGroup(child: Child, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { stdio: "ignore" }).on(
      "error",
      () => child.kill(),
    );
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // Ignored: no process of the group is left, which is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function cannotStart(error: Error, python: string): AppError {
  return new AppError(
    "checkout-failed",
    {
      path: python,
      what: `${python} cannot be started: ${describe(error)}`,
      remedy: "Install Python 3, or name its interpreter in cls.python.",
    },
    error,
  );
}

/** null when the phase succeeded. */
function explainFailure(
  end: ShimEnd,
  folder: string,
  python: string,
  timeLimitMs: number,
): AppError | null {
  const fail = (what: string, remedy: string): AppError =>
    new AppError("checkout-failed", {
      path: folder,
      what,
      remedy,
      stderr: end.stderr.join("\n").slice(-STDERR_DETAIL_CHARS),
    });
  if (end.timedOut) {
    return fail(
      `it took longer than ${timeLimitMs} ms and was ended`,
      "Look at its log for where it hangs.",
    );
  }
  const { result } = end;
  if (result === null) {
    const how = end.signal === null ? `with code ${end.code}` : `by ${end.signal}`;
    return fail(
      `it ended ${how} before it reported a result`,
      "Its last lines on stderr tell more.",
    );
  }
  if (result.ok) return null;
  switch (result.kind) {
    case "missing":
      return fail(
        result.what,
        `Install what is missing for ${python}, or name another interpreter in cls.python.`,
      );
    case "entry":
      return fail(result.what, "Name the folder of a CLS_Allscripts checkout in cls.checkout.");
    case "exit":
    case "crash":
      return fail(
        result.what,
        "Correct the checkout or its input; its last lines on stderr tell more.",
      );
    default:
      return result.kind satisfies never;
  }
}
