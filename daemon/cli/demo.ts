import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { RunView, StatusView } from "../../shared/control.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { PACKAGE_ROOT } from "../entry.ts";
import type { GenerateOptions } from "../pipelines/cls/generate.ts";
import { type CLSPipelineResult, clsPipelineResult } from "../pipelines/cls/params.ts";
import { liveLease } from "../sdk/find-daemon.ts";
import { type Context, createContext } from "./context.ts";
import { choosePhases, tellFailure, toResult, watchRun } from "./run.ts";
import { resultWords, spaced } from "./run-text.ts";
import { startDaemon } from "./start-daemon.ts";
import { renderFields, renderTable } from "./table.ts";
import { bytesWords, countWords, durationWords, plural, statusWords } from "./words.ts";

const STOP_LIMIT_MS = 30_000;

/** Some thousand rows: enough to see progress, done within seconds. */
const INPUT: GenerateOptions = {
  rows: 6000,
  increments: 3,
  rowsPerIncrement: 400,
  dailyRows: 800,
  seed: 2025,
};

/** Starts everything, runs all CLS phases on an example input, shows what came out, and stays up until Ctrl-C. */
export async function run(
  outer: Context,
  _: unknown,
  { once: ending }: { readonly once?: boolean },
): Promise<number> {
  const { io, globals } = outer;
  const chosen = globals.data !== undefined || Boolean(io.env["MSGSYS_DATA"]);
  const dataDir = chosen ? outer.dataDir : join(PACKAGE_ROOT, ".msgsys");
  const context = createContext(io, { ...globals, data: dataDir });
  const running = liveLease(dataDir, io.now());
  if (running !== null) context.hint(`Using the daemon that runs already (pid ${running.pid}).`);
  else context.hint(`Starting the daemon on ${dataDir} …`);
  const child = running === null ? await start(context) : null;
  try {
    const exit = await runPhases(context);
    if (ending || child === null || exit !== 0) return exit;
    context.hint("\nEverything stays up. Ctrl-C stops it.");
    await Promise.race([aborted(io.stop), once(child, "exit")]);
    return exit;
  } finally {
    await context.close();
    if (child !== null) await stop(context, child);
  }
}

async function start({ dataDir, io }: Context): Promise<ChildProcess> {
  const options = { dataDir, workspace: PACKAGE_ROOT, stop: io.stop, now: io.now };
  return (await startDaemon(options, "foreground")).child;
}

async function stop({ hint }: Context, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  hint("Stopping …");
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
  await ended;
  clearTimeout(late);
}

function aborted(signal: AbortSignal): Promise<unknown> {
  return signal.aborted ? Promise.resolve() : once(signal, "abort");
}

async function runPhases(context: Context): Promise<number> {
  const { dataDir, io, paint } = context;
  const root = await ensureInput(context, join(dataDir, "demo-input"));
  const out = join(dataDir, "demo-output");
  const client = await context.client();
  const { pipeline } = choosePhases(await client.definitions(), "cls_all", undefined);
  const started = await client.run(pipeline, { params: { root, out, fresh: true } });
  context.hint(`Run ${started.runId}: ${started.phases.join(" → ")}`);
  const ended = await watchRun(context, client, started.runId);
  const status = await client.status();
  const audit = join(dataDir, DATA_FILES.audit);
  context.result({ ...toResult(ended), audit }, () => summary(ended, status, paint));
  if (io.errIsTerminal)
    context.hint(`More: msgsys --data ${dataDir} show ${ended.id}, status, audit durations`);
  if (ended.status === "completed") return 0;
  tellFailure(context, ended);
  return 1;
}

/** The example input, made once: under another name first, so that a stop in between leaves nothing half done. */
async function ensureInput({ hint }: Context, root: string): Promise<string> {
  const note = `${root}.json`;
  const wanted = JSON.stringify(INPUT);
  if (existsSync(root) && existsSync(note) && readFileSync(note, "utf8") === wanted) return root;
  const { generateClsRoot } = await import("../pipelines/cls/generate.ts");
  const draft = `${root}.making`;
  for (const folder of [root, draft]) await rm(folder, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const files = await generateClsRoot(draft, INPUT);
  await rename(draft, root);
  await writeFile(note, wanted);
  hint(`Example input: ${plural(files.length, "file")} in ${root}`);
  return root;
}

function summary(run: RunView, status: StatusView, paint: Context["paint"]): string {
  const results = run.phases.map((phase) => ({
    phase,
    result: clsPipelineResult.safeParse(phase.result).data ?? null,
  }));
  const table = renderTable(
    [
      { title: "Phase" },
      { title: "Status" },
      { title: "Took", align: "right" },
      { title: "Rows in", align: "right" },
      { title: "Came out" },
    ],
    results.map(({ phase, result }) => [
      phase.phase,
      statusWords(phase.status, paint),
      result === null ? "–" : durationWords(result.durationMs),
      result === null ? "–" : countWords(result.rowsIn),
      phase.error ?? (result === null ? resultWords(phase.result) : outWords(result)),
    ]),
    { head: (text) => paint("bold", text) },
  );
  const all = results.flatMap(({ result }) => result ?? []);
  // Classify counts them, export repeats them.
  const buckets = Object.entries(all.find((result) => result.buckets !== undefined)?.buckets ?? {});
  const files = all.flatMap(({ artifacts }) => artifacts);
  const fields = renderFields([
    [
      "Run",
      `${run.id}, ${statusWords(run.status, paint)}${run.warnings > 0 ? ` with ${plural(run.warnings, "warning")}` : ""}`,
    ],
    ["Buckets", buckets.map(([name, rows]) => `${name} ${countWords(rows)}`).join("\n") || null],
    ["Files", files.length === 0 ? null : filesText(files)],
    ["Audit", status.audit.file],
    ["NATS", `${status.nats.url}, version ${status.nats.version}`],
  ]);
  return `${table}\n\n${fields}`;
}

const TOLD_ELSEWHERE = new Set(["rowsIn"]);

function outWords(result: CLSPipelineResult): string {
  const counts = Object.entries(result).filter(
    (entry): entry is [string, number] =>
      entry[0].startsWith("rows") &&
      !TOLD_ELSEWHERE.has(entry[0]) &&
      typeof entry[1] === "number" &&
      entry[1] > 0,
  );
  return counts
    .map(([name, rows]) => `${countWords(rows)} ${spaced(name.slice(4)).trim()}`)
    .join(", ");
}

/** The folder once, then its files. */
function filesText(files: CLSPipelineResult["artifacts"]): string {
  const rows = files.map(({ path, rows: count, bytes }) => [
    basename(path),
    plural(count, "row"),
    bytesWords(bytes),
  ]);
  return renderTable(
    [
      { title: dirname(files[0]!.path) },
      { title: "", align: "right" },
      { title: "", align: "right" },
    ],
    rows,
  );
}
