import { AppError } from "../../shared/errors.ts";
import type {
  AppliedFile,
  DecideResult,
  FilesResult,
  PendingItem,
  PendingResult,
  PreviewResult,
  UndoneResult,
} from "../pipelines/cls/act-params.ts";
import { pendingCsv } from "../pipelines/cls/pending-csv.ts";
import { chooseFile } from "../pipelines/cls/undo-plan.ts";
import { reasonOf } from "./bulk.ts";
import { type ActOptions, askersOf, runAct } from "./cls-act.ts";
import {
  filesText,
  type NamedFile,
  type NamedRow,
  pendingText,
  previewText,
  undoneText,
} from "./cls-text.ts";
import type { Context } from "./context.ts";
import { absolutePath, badUsage, parseParams } from "./values.ts";
import { countWords, plural } from "./words.ts";

interface PreviewOptions extends ActOptions {
  readonly out?: string;
  readonly fresh?: boolean;
  readonly param: readonly string[];
}

/** What a sync would do, file by file. */
export async function preview(
  context: Context,
  _: unknown,
  options: PreviewOptions,
): Promise<number> {
  const { io, paint } = context;
  const input = {
    ...(await checkoutSettings(context)),
    ...parseParams(options.param),
    ...(options.out === undefined ? {} : { out: absolutePath(io.cwd, options.out) }),
    ...(options.fresh ? { fresh: true } : {}),
  };
  const act = { name: "cls.preview", input, label: "preview", looksOnly: true };
  const result = await runAct<PreviewResult>(context, act, options);
  for (const warning of result.warnings) context.hint(`Warning: ${warning}`);
  context.result(result, () => previewText(result, paint, io.columns));
  return 0;
}

/** A run takes these from the settings of the daemon; so does its preview. */
async function checkoutSettings(context: Context): Promise<Record<string, unknown>> {
  const client = await context.client({ start: true });
  const { settings } = await client.request("config", {});
  const value = (key: string): unknown => settings.find((one) => one.key === key)?.value;
  const checkout = value("cls.checkout");
  if (typeof checkout !== "string") return {};
  return { checkout, checkoutPhases: value("cls.checkoutPhases") };
}

interface ListOptions extends ActOptions {
  readonly file?: string;
  readonly open?: boolean;
  readonly limit: number;
  readonly after?: number;
  readonly csv?: boolean;
}

/** Rows with the stored date and other content. */
export const conflicts = (context: Context, _: unknown, options: ListOptions): Promise<number> =>
  listRows(context, "conflicts", options);

/** Rows without a date where one is stored. */
export const review = (context: Context, _: unknown, options: ListOptions): Promise<number> =>
  listRows(context, "review", options);

const CSV_PAGE = 500;

async function listRows(
  context: Context,
  list: "conflicts" | "review",
  options: ListOptions,
): Promise<number> {
  const { io, json, paint } = context;
  if (options.csv && json) throw badUsage("Choose either --csv or --json.");
  const client = await context.client({ start: true });
  const { file, open = false } = options;
  const page = async (after: number, limit: number) => {
    const input = { file, open, after, limit };
    const label = list === "conflicts" ? "list of conflicts" : "review list";
    const act = { name: `cls.${list}`, input, label, looksOnly: true };
    const result = await runAct<PendingResult>(context, act, options);
    return { ...result, rows: await nameDeciders(client, result.rows) };
  };
  if (options.csv) {
    const rows: NamedRow[] = [];
    for (let after: number | null = options.after ?? 0; after !== null; ) {
      const next: Awaited<ReturnType<typeof page>> = await page(after, CSV_PAGE);
      rows.push(...next.rows);
      after = next.next;
    }
    // The name says more than the task, which the JSON has.
    const named = rows.map((row) => ({ ...row, decidedBy: row.by ?? row.decidedBy }));
    for (const line of pendingCsv(named)) io.out(line);
    return 0;
  }
  const result = await page(options.after ?? 0, options.limit);
  context.result(result, () => pendingText(result, list, paint, io.columns));
  if (result.next !== null)
    context.hint(
      `${countWords(result.total)} in all; --after ${result.next} goes on, --csv has them all.`,
    );
  if (result.open > 0)
    context.hint(
      `${countWords(result.open)} not decided: \`msgsys cls decide take|keep <id>… --root <folder>\`.`,
    );
  return 0;
}

async function nameDeciders(
  client: Parameters<typeof askersOf>[0],
  rows: readonly PendingItem[],
): Promise<NamedRow[]> {
  const tasks = rows.flatMap(({ decidedBy }) =>
    decidedBy === null || decidedBy === "policy" ? [] : [decidedBy],
  );
  const askers = await askersOf(client, tasks);
  return rows.map((row) => ({ ...row, by: askers.get(row.decidedBy ?? "") ?? null }));
}

/** Every file that was applied, and which of them can be undone. */
export async function files(context: Context, _: unknown, options: ActOptions): Promise<number> {
  const { io, paint } = context;
  const result = await listFiles(context, options);
  const client = await context.client();
  const askers = await askersOf(
    client,
    result.files.flatMap(({ undone }) => (undone === null ? [] : [undone.taskId])),
  );
  const named: NamedFile[] = result.files.map((file) => ({
    ...file,
    undone:
      file.undone === null ? null : { ...file.undone, by: askers.get(file.undone.taskId) ?? null },
  }));
  context.result({ ...result, files: named }, () =>
    filesText({ ...result, files: named }, paint, io),
  );
  return 0;
}

function listFiles(context: Context, options: ActOptions): Promise<FilesResult> {
  const act = { name: "cls.files", input: {}, label: "list of files", looksOnly: true };
  return runAct<FilesResult>(context, act, options);
}

interface UndoOptions extends ActOptions {
  readonly reason?: string;
  readonly keepLater?: boolean;
  readonly again?: boolean;
  readonly dryRun?: boolean;
}

/** Takes back what an applied file changed. What cannot be is refused before anything is enqueued that would fail. */
export async function undo(
  context: Context,
  [wanted]: [string],
  options: UndoOptions,
): Promise<number> {
  const { dryRun = false } = options;
  const reason = dryRun ? (options.reason ?? "dry run") : await reasonOf(context, options.reason);
  const { root, files: applied } = await listFiles(context, options);
  const file = fileCalled(applied, wanted, root);
  refuseUndo(file, options);
  const { keepLater = false, again = false } = options;
  const input = { file: String(file.id), reason, keepLater, again, dryRun };
  const act = { name: "cls.undo", input, label: "undo", looksOnly: dryRun };
  const result = await runAct<UndoneResult>(context, act, options);
  context.result(result, () => undoneText(result, file.state === "undone"));
  return 0;
}

function fileCalled(files: readonly AppliedFile[], wanted: string, root: string): AppliedFile {
  const choice = chooseFile(files, wanted);
  if (choice.found !== null) return choice.found;
  const names = choice.candidates.map(({ name }) => name).join(", ");
  throw new AppError("cls-file-unknown", {
    root,
    what: names === "" ? `is called ${wanted}` : `alone is called ${wanted}: ${names}`,
  });
}

function refuseUndo(
  { name, undo: can, undone }: AppliedFile,
  { keepLater, again }: UndoOptions,
): void {
  const onlyAgain = again && undone !== null && !undone.again;
  if (can.possible || onlyAgain || (can.withKeepLater && keepLater)) return;
  const code = can.withKeepLater ? "cls-undo-needs-later" : "cls-undo-refused";
  throw new AppError(code, { file: name, what: can.why });
}

interface DecideOptions extends ActOptions {
  readonly reason?: string;
}

/** Keeps or takes rows of the conflict and review lists. */
export async function decide(
  context: Context,
  [decision, ids]: [string, string[]],
  options: DecideOptions,
): Promise<number> {
  if (decision !== "keep" && decision !== "take")
    throw badUsage(`${decision} is no decision: keep or take.`);
  const numbers = ids.map((id) => {
    if (!/^[1-9]\d{0,14}$/.test(id)) throw badUsage(`${id} is no id of a row.`);
    return Number(id);
  });
  const reason = await reasonOf(context, options.reason);
  const input = { ids: numbers, decision, reason };
  const act = { name: "cls.decide", input, label: "decision", looksOnly: false };
  const result = await runAct<DecideResult>(context, act, options);
  const done = decision === "take" ? "taken into the store" : "kept as stored";
  context.result(result, () => `${plural(result.decided.length, "row")} ${done}.`);
  for (const { id, what } of result.refused) context.hint(`${id}: ${what}`);
  return result.decided.length === 0 ? new AppError("cls-decision-refused").exitCode : 0;
}
