import type { PriorityChange, RunView, TaskDetail, WhyView } from "../../shared/control.ts";
import type { CommandId, TreeTarget } from "../contributions.ts";
import { fenced, lines, markdownText } from "./foreign.ts";
import { statusWord } from "./status-looks.ts";
import { ago, levelWords, type Words } from "./words.ts";

/** The commands that links in our tooltips may run; VS Code refuses every other one. */
export const TOOLTIP_COMMANDS = [
  "msgSys.task.showDetail",
  "msgSys.task.escalate",
  "msgSys.task.copyId",
  "msgSys.deadLetter.redrive",
  "msgSys.run.again",
  "msgSys.dashboard.reveal",
] as const satisfies readonly CommandId[];
type TooltipCommand = (typeof TOOLTIP_COMMANDS)[number];

const PARAMS_SHOWN = 300;
const CHANGES_SHOWN = 3;
const ERROR_SHOWN = 400;

/**
 * A task in Markdown: what it was given, who asked, why it waits, who changed its priority. Everything that others wrote is
 * escaped or stands in a fence that it cannot close.
 */
export function taskTooltip(
  task: TaskDetail,
  why: WhyView | null,
  words: Words,
  capabilities: readonly string[],
): string {
  const { say } = words;
  const kind = task.status === "dead" ? "dead" : "task";
  const target: TreeTarget = { kind, id: task.id };
  const parts = [
    `**${markdownText(task.name)}** ${statusWord(task.status, say)} · ${levelWords(task.priority, say)}`,
    why === null ? "" : markdownText(why.sentence),
    enqueuedWords(task, words),
    errorWords(task, words),
    paramsBlock(task.inputJson, words),
    historyList(task.priorityHistory, words),
    idWords(task, words),
    links(target, task.status === "dead", capabilities, words),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function enqueuedWords(task: TaskDetail, words: Words): string {
  const { say } = words;
  const values = { when: ago(task.createdAt, words), queue: task.queue };
  const text =
    task.by === null
      ? say("Enqueued {when} on {queue}", values)
      : say("Enqueued {when} by {user} on {queue}", { ...values, user: task.by });
  const attempts =
    task.attempts === 0
      ? ""
      : ` · ${say("attempt {n} of {all}", { n: task.attempts, all: task.maxAttempts })}`;
  return markdownText(text) + markdownText(attempts);
}

function errorWords({ error, status }: TaskDetail, { say }: Words): string {
  if (error === null || status === "completed") return "";
  return `${markdownText(say("Last error:"))}\n${fenced(lines(error, ERROR_SHOWN), "text")}`;
}

function paramsBlock(inputJson: string | null, { say }: Words): string {
  if (inputJson === null) return "";
  return `${markdownText(say("Params:"))}\n${fenced(lines(inputJson, PARAMS_SHOWN), "json")}`;
}

function historyList(history: readonly PriorityChange[], words: Words): string {
  const last = history.slice(-CHANGES_SHOWN).reverse();
  if (last.length === 0) return "";
  const rows = last.map((change) => `- ${changeWords(change, words)}`);
  return `${markdownText(words.say("Priority:"))}\n\n${rows.join("\n")}`;
}

function changeWords(change: PriorityChange, words: Words): string {
  const { from, to, by, reason, at } = change;
  const text = words.say("{from} → {to} by {user}, {when}", {
    from,
    to: levelWords(to, words.say),
    user: by,
    when: ago(at, words),
  });
  return markdownText(reason === null ? text : `${text}: “${reason}”`, 400);
}

function idWords({ id, traceId }: TaskDetail, { say }: Words): string {
  const trace = traceId === null ? "" : ` · ${markdownText(say("trace"))} ${markdownText(traceId)}`;
  return `${markdownText(say("Id"))} ${markdownText(id)}${trace}`;
}

function links(
  target: TreeTarget,
  isDead: boolean,
  capabilities: readonly string[],
  { say }: Words,
): string {
  const shown = [link("msgSys.task.showDetail", say("Show Detail"), target)];
  if (capabilities.includes("escalatable"))
    shown.push(link("msgSys.task.escalate", say("Escalate…"), target));
  if (isDead && capabilities.includes("redrivable"))
    shown.push(link("msgSys.deadLetter.redrive", say("Redrive"), target));
  shown.push(link("msgSys.task.copyId", say("Copy Id"), target));
  return shown.join(" · ");
}

function link(command: TooltipCommand, title: string, target: TreeTarget): string {
  // Ids are words of letters and digits, yet whatever they were: encoded, nothing of them ends the link.
  const args = encodeURIComponent(JSON.stringify([target])).replace(
    /[()'!*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `[${markdownText(title)}](command:${command}?${args})`;
}

/** A run in Markdown. */
export function runTooltip(run: RunView, words: Words, capabilities: readonly string[]): string {
  const { say } = words;
  const target: TreeTarget = { kind: "run", id: run.id };
  const started = say("Started {when} by {user}", {
    when: ago(run.createdAt, words),
    user: run.by,
  });
  const failures = run.phases.flatMap(({ phase, error, status }) =>
    error !== null && status === "dead"
      ? [`${markdownText(phase)}:\n${fenced(lines(error, ERROR_SHOWN), "text")}`]
      : [],
  );
  const shown = [link("msgSys.dashboard.reveal", say("Reveal in Dashboard"), target)];
  if (capabilities.includes("repeatable"))
    shown.push(link("msgSys.run.again", say("Run Again"), target));
  const parts = [
    `**${markdownText(run.pipeline)}** ${statusWord(run.status, say)} · ${levelWords(run.priority, say)}`,
    markdownText(started),
    ...failures,
    paramsBlock(JSON.stringify(run.params), words),
    `${markdownText(say("Id"))} ${markdownText(run.id)}`,
    shown.join(" · "),
  ];
  return parts.join("\n\n");
}
