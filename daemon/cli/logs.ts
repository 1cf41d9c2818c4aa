import { open, readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AppError } from "../../shared/errors.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { noDaemon } from "../sdk/find-daemon.ts";
import type { Context } from "./context.ts";
import { isAboutTask, type LogLine, logLineText, parseLogLine } from "./log-lines.ts";

interface Options {
  readonly follow?: boolean;
  readonly lines: number;
  readonly all?: boolean;
}

const LOOK_EVERY_MS = 250;
/** `daemon.log`, and what rotation made of former ones: `daemon.log.1`. */
const LOG_FILE = /\.(?:log|out)(?:\.\d+)?$/;

/** Prints the log of the daemon, or the lines of all logs about one task. Works without a daemon. */
export async function run(
  context: Context,
  [taskId]: [string | undefined],
  options: Options,
): Promise<number> {
  const { io, json, paint, dataDir } = context;
  const folder = join(dataDir, DATA_FILES.logs);
  const wanted = (line: LogLine): boolean => taskId === undefined || isAboutTask(line, taskId);
  const print = (line: LogLine): void => {
    io.out(`${json ? toJson(line) : logLineText(line, paint)}\n`);
  };
  const files = await logFiles(folder, options.all === true || taskId !== undefined);
  const past = await Promise.all(files.map(readLines));
  const lines = past.flat().filter(wanted);
  // Files of several processes, in the order in which things happened; the sort keeps lines of one time in their order.
  lines.sort((a, b) => a.time - b.time);
  for (const line of lines.slice(-options.lines)) print(line);
  if (lines.length === 0 && taskId !== undefined)
    context.hint(`No line of the logs in ${folder} is about ${taskId}.`);
  if (!options.follow) return 0;
  await follow(
    files.filter((file) => !/\.\d+$/.test(file)),
    io.stop,
    (line) => {
      if (wanted(line)) print(line);
    },
  );
  return 0;
}

/** Daemon's own files, or those of every process. Throws `bad-usage` when there is none. */
async function logFiles(folder: string, all: boolean): Promise<string[]> {
  // Ignored: a folder that cannot be read is told below like one that is empty.
  const names = await readdir(folder).catch(() => [] as string[]);
  const files = names
    .filter((name) => LOG_FILE.test(name) && (all || basename(name).startsWith("daemon.log")))
    .map((name) => join(folder, name));
  if (files.length > 0) return files;
  const unreadable = noDaemon(dirname(folder));
  if (unreadable.code === "data-directory-unreadable") throw unreadable;
  throw new AppError("bad-usage", {
    what: `There is no log in ${folder}; no daemon ran here yet.`,
  });
}

async function readLines(file: string): Promise<LogLine[]> {
  const text = await readFile(file, "utf8");
  return toLines(text).map(parseLogLine);
}

function toLines(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

/** Reads what is appended until `stop`. A file that became shorter was rotated: it is read from its beginning. */
async function follow(
  files: readonly string[],
  stop: AbortSignal,
  each: (line: LogLine) => void,
): Promise<void> {
  const places = new Map<string, { offset: number; rest: string }>();
  for (const file of files) places.set(file, { offset: await sizeOf(file), rest: "" });
  while (!stop.aborted) {
    for (const [file, place] of places) {
      const size = await sizeOf(file);
      if (size < place.offset) places.set(file, { offset: 0, rest: "" });
      else if (size > place.offset) places.set(file, await readOn(file, place, each));
    }
    // Ignored: the signal ends the waiting, which is what it is for.
    await sleep(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {});
  }
}

async function readOn(
  file: string,
  { offset, rest }: { offset: number; rest: string },
  each: (line: LogLine) => void,
): Promise<{ offset: number; rest: string }> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read({
      position: offset,
      buffer: Buffer.alloc(1_048_576),
    });
    const text = rest + buffer.toString("utf8", 0, bytesRead);
    const end = text.lastIndexOf("\n") + 1;
    for (const line of toLines(text.slice(0, end))) each(parseLogLine(line));
    return { offset: offset + bytesRead, rest: text.slice(end) };
  } finally {
    await handle.close();
  }
}

async function sizeOf(file: string): Promise<number> {
  // Ignored: between two steps of a rotation the file is not there; it counts as empty.
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** A JSON line passes as it stands. */
function toJson(line: LogLine): string {
  return line.text.startsWith("{") ? line.text : JSON.stringify({ text: line.text });
}
