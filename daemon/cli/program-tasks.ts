import { type Command, Option } from "commander";
import type { Lazy } from "./program.ts";
import {
  parseBucket,
  parseCount,
  parseDuration,
  parseInstant,
  parseLevel,
  parseStatuses,
} from "./values.ts";

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

/** Commands about tasks and runs. */
export function addTaskCommands(program: Command, lazy: Lazy): void {
  addMaking(program, lazy);
  addLooking(program, lazy);
  addActing(program, lazy);
  addCls(program, lazy);
}

function addMaking(program: Command, lazy: Lazy): void {
  program
    .command("run")
    .argument("<pipeline>", "for example cls_all")
    .description("run a pipeline, or a phase of it and those before it")
    .option("--phase <phase>", "last phase to run")
    .option("--root <folder>", "folder with the input")
    .option("--out <folder>", "folder for the export")
    .option("--dry-run", "say what would happen, change nothing")
    .option("--fresh", "start with an empty store")
    .option("--priority <level>", "0 to 10 or a name", parseLevel)
    .option("--param <key=json>", "any other parameter; may be repeated", collect, [])
    .option("--run-id <id>", "the same id is the same run")
    .option("--wait", "wait until it has ended and show progress")
    .option("--timeout <time>", "with --wait: give up waiting after this time", parseDuration)
    .action(lazy(() => import("./run.ts")));
  program
    .command("enqueue")
    .argument("<name>", "name of the task")
    .argument("[input]", "JSON, or - for standard input")
    .description("enqueue a task")
    .option("--input-file <file>", "read the input from a file")
    .option("--many <file>", "one task for each line of JSON in a file, or - for standard input")
    .option("--priority <level>", "0 to 10 or a name", parseLevel)
    .option("--queue <queue>", "another queue than the task's own")
    .option("--id <id>", "the same id is the same task")
    .option("--key <key>", "same key and same input: the same task again")
    .option("--delay <time>", "not before this time from now", parseDuration)
    .option("--at <instant>", "not before this instant", parseInstant)
    .option("--category <category>", "etl, webapp, report or alert")
    .option("--task-phase <phase>", "extract, transform, load, …")
    .option("--correlation <id>", "correlation id")
    .option("--wait", "wait for the result and print it")
    .option("--timeout <time>", "with --wait: give up waiting after this time", parseDuration)
    .action(lazy(() => import("./enqueue.ts")));
}

function addLooking(program: Command, lazy: Lazy): void {
  program
    .command("list")
    .description("list tasks, the newest first")
    .option("--status <status>", "one or several with commas", parseStatuses)
    .option("--dead", "dead letters")
    .option("--queue <queue>")
    .option("--name <name>")
    .option("--level <level>", "exactly this level", parseLevel)
    .option("--min-level <level>", "this level or more", parseLevel)
    .option("--max-level <level>", "this level or less", parseLevel)
    .option("--bucket <bucket>", "high, normal or low", parseBucket)
    .option("--run <id>", "tasks of a run")
    .option("--by <user>", "enqueued by")
    .option("--text <text>", "words in name, id or error")
    .option("--limit <n>", "at most so many", parseCount, 50)
    .option("--cursor <cursor>", "go on where a list ended")
    .option("--runs", "pipeline runs instead of tasks")
    .action(lazy(() => import("./list.ts")));
  program
    .command("show")
    .argument("<id>")
    .description("everything about a task or a run")
    .action(lazy(() => import("./show.ts")));
  program
    .command("why")
    .argument("<id>")
    .description("why a task is not running")
    .action(lazy(() => import("./why.ts")));
  program
    .command("queues")
    .description("queues with their waiting and running tasks")
    .option("--tasks", "the names of the tasks that workers know")
    .action(lazy(() => import("./queues.ts")));
  program
    .command("events")
    .description("everything that happens, as it happens, or again what happened")
    .option("-f, --follow", "go on until Ctrl-C (so by default, but with --replay)")
    .option("--since <when>", "first what is kept since then: 10m (ago) or an instant")
    .option("--from <seq>", "the same from a sequence of the stream of events", parseCount)
    .option("--replay", "only what is kept, all of it without --since and --from; then end")
    .option("--kind <kinds>", "task, system, domain; several with commas")
    .option("--queue <queue>")
    .option("--task <id>")
    .option("--run <id>")
    .option("--subject <subject>", "domain events on this subject, wildcards allowed")
    .option("--count <n>", "end after so many", parseCount)
    .option("--for <time>", "end after this time", parseDuration)
    .action(lazy(() => import("./events.ts")));
  program
    .command("audit")
    .argument("[query]", "by-status, durations, failures, refusals, priority, task or verify")
    .argument("[id]", "with task: its id")
    .description("questions to the audit")
    .option("--hours <n>", "how far back", Number, 24)
    .action(lazy(() => import("./audit.ts")));
}

function addActing(program: Command, lazy: Lazy): void {
  const bulk = (command: Command): Command =>
    command
      .option("--where <conditions>", "all that match, for example status=waiting,queue=etl")
      .option("--reason <text>", "why; kept in the history")
      .option("--dry-run", "say which, change nothing")
      .option("-y, --yes", "do not ask");
  bulk(program.command("escalate"))
    .argument("<words...>", "[id…] prioritize | urgent | critical | <level>")
    .description("put waiting tasks first")
    .action(lazy(() => import("./escalate.ts")));
  bulk(program.command("lower"))
    .argument("<words...>", "[id…] <level>")
    .description("let waiting tasks wait longer")
    .action(lazy(async () => ({ run: (await import("./escalate.ts")).lower })));
  program
    .command("undo")
    .argument("<id>")
    .description("take back the last change of a task's priority")
    .option("--reason <text>", "why; kept in the history")
    .action(lazy(() => import("./undo.ts")));
  bulk(program.command("cancel"))
    .argument("[ids...]")
    .description("cancel tasks or a run")
    .option("--run <id>", "a whole run")
    .action(lazy(() => import("./cancel.ts")));
  program
    .command("retry")
    .argument("<id>")
    .description("run a task now that waits for its retry")
    .option("--reason <text>")
    .action(lazy(() => import("./retry.ts")));
  bulk(program.command("redrive"))
    .argument("[ids...]")
    .description("give dead letters a new life")
    .option("--input <json>", "with this input instead")
    .addOption(new Option("--priority <level>", "at this level").argParser(parseLevel))
    .action(lazy(() => import("./redrive.ts")));
}

/** Looking into the store of a CLS folder, and changing what a sync did there. */
function addCls(program: Command, lazy: Lazy): void {
  const cls = program
    .command("cls")
    .description(
      "look into what a CLS sync stored, and change it: preview, files, conflicts, undo",
    );
  const load = async (name: "preview" | "files" | "conflicts" | "review" | "undo" | "decide") => ({
    run: (await import("./cls.ts"))[name],
  });
  const act = (command: Command): Command =>
    command
      .requiredOption("--root <folder>", "folder with the input")
      .option("--priority <level>", "0 to 10 or a name", parseLevel)
      .option("--timeout <time>", "give up waiting after this time", parseDuration);
  act(cls.command("preview"))
    .description("what a sync would do with each file; changes nothing")
    .option("--out <folder>", "folder of the export: also tell whether it would be made again")
    .option("--fresh", "as if it began with an empty store")
    .option("--param <key=json>", "any other parameter of a run; may be repeated", collect, [])
    .action(lazy(() => load("preview")));
  act(cls.command("files"))
    .description("files that were applied: when, by which run, with what, and can it be undone")
    .action(lazy(() => load("files")));
  const list = (command: Command): Command =>
    act(command)
      .option("--file <name>", "only rows of files with this in their name")
      .option("--open", "only rows that nobody decided on")
      .option("--limit <n>", "at most so many", parseCount, 100)
      .option("--after <id>", "go on after this row", parseCount)
      .option("--csv", "the whole list as CSV, a line for each differing column");
  list(cls.command("conflicts"))
    .description("rows with the date of the stored row and other content")
    .action(lazy(() => load("conflicts")));
  list(cls.command("review"))
    .description("rows without a date where one is stored")
    .action(lazy(() => load("review")));
  act(cls.command("decide"))
    .argument("<decision>", "take or keep")
    .argument("<ids...>", "rows of the conflict or review list")
    .description("take listed rows into the store, or keep what is stored")
    .option("--reason <text>", "why; kept in the audit")
    .action(lazy(() => load("decide")));
  act(cls.command("undo"))
    .argument("<file>", "id or name of an applied file, or a part of its name")
    .description("take back what an applied file changed")
    .option("--reason <text>", "why; kept with the file")
    .option("--keep-later", "leave keys that a later file touched as that file left them")
    .option("--again", "let the next sync apply the file again")
    .option("--dry-run", "say what it would do, change nothing")
    .action(lazy(() => load("undo")));
}
