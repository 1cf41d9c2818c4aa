import type { ComponentChildren } from "preact";
import { LEVEL_NAMES } from "../../shared/priority.ts";
import type { AttemptError, DeadReason } from "../../shared/task.ts";
import { now } from "../state/clock.ts";
import type { Execution, Gap, Happening, Mark, TimelineItem } from "../state/timeline.ts";
import { Badge } from "../ui/Badge.tsx";
import { Duration } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { formatClock, formatDuration, formatInstant } from "../ui/format.ts";
import { LongText } from "../ui/JsonView.tsx";
import { ESCALATION_LOOKS, type Look, STATUS_LOOKS } from "../ui/looks.ts";
import { key, t } from "../ui/text.ts";

/** A task's life from above to below: what happened, its executions as thick lines, the time between as thin ones. */
export function TaskTimeline(props: { items: readonly TimelineItem[]; maxAttempts: number }) {
  const { items, maxAttempts } = props;
  let day = "";
  return (
    <ol class="timeline" aria-label={t("Timeline")}>
      {items.map((item) => {
        if (item.kind === "gap") return <GapLine key={item.key} gap={item} />;
        const date = new Date(item.at).toDateString();
        const isNewDay = day !== "" && date !== day;
        day = date;
        return (
          <li key={item.key} class={`tl-item tl-${item.kind} ${toneOf(item)}`}>
            <Moment at={item.at} withDate={isNewDay} />
            <span class="tl-track" />
            <div class="tl-body">
              {item.kind === "mark" ? (
                <MarkWords mark={item} />
              ) : (
                <ExecutionWords execution={item} maxAttempts={maxAttempts} />
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}

function Moment(props: { at: number; withDate: boolean }) {
  const { at, withDate } = props;
  return (
    <time
      class="tl-time mono dim"
      dateTime={new Date(at).toISOString()}
      title={`${formatInstant(at)}\n${new Date(at).toISOString()}`}
    >
      {withDate && <span class="tiny">{new Date(at).toLocaleDateString()} </span>}
      {formatClock(at)}
    </time>
  );
}

function toneOf(item: Mark | Execution): string {
  if (item.kind === "mark") return `is-${item.what.kind}`;
  if (item.endedAt === null) return "is-open";
  return item.outcome === "completed" ? "is-ok" : "is-bad";
}

const GAP_WORDS: Readonly<Record<Gap["state"], string>> = {
  waiting: key("{time} waiting"),
  scheduled: key("{time} until its time"),
  retrying: key("{time} until the retry"),
  ended: key("{time} later"),
};

function GapLine(props: { gap: Gap }) {
  const { gap } = props;
  const ms = Math.max(0, (gap.toAt ?? now.value) - gap.fromAt);
  const leftMs = gap.dueAt === null ? null : gap.dueAt - now.value;
  return (
    <li class={`tl-item tl-gap is-${gap.state} ${gap.toAt === null ? "is-open" : ""}`}>
      <span class="tl-time" />
      <span class="tl-track" />
      <span class="tl-body dim">
        {t(GAP_WORDS[gap.state], { time: formatDuration(ms) })}
        {gap.toAt === null && gap.state === "waiting" && ` ${t("so far")}`}
        {leftMs !== null && leftMs > 0 && (
          <>, {t("{time} left", { time: formatDuration(leftMs) })}</>
        )}
      </span>
    </li>
  );
}

const DEAD_WORDS: Readonly<Record<DeadReason, string>> = {
  "attempts-exhausted": key("all attempts used ({n})"),
  "non-retryable": key("not worth another attempt"),
  "worker-lost": key("its worker was lost at the last attempt"),
  poison: key("it took its worker down three times in a row"),
  invalid: key("it cannot be run"),
  discarded: key("discarded"),
};

/** A level with its name: `9 Urgent`. */
export function levelWords(level: number): string {
  const name = LEVEL_NAMES[level];
  return name === undefined ? String(level) : `${level} ${t(name)}`;
}

const PLAIN = { tone: "plain" } as const;

function lookOf(what: Happening): Look {
  switch (what.kind) {
    case "enqueued":
      return { word: t("Enqueued"), icon: "add", ...PLAIN };
    case "scheduled": {
      const word =
        what.dueAt === null
          ? t("Scheduled")
          : t("Scheduled for {time}", { time: formatInstant(what.dueAt) });
      return { word, icon: "clock", tone: "idle" };
    }
    case "priority":
      return priorityLook(what);
    case "due":
      return { word: t("Its time came"), icon: "clock", ...PLAIN };
    case "retried":
      return { word: t("Run at once"), icon: "play", ...PLAIN };
    case "redriven": {
      const word = what.hasNewInput ? t("Redriven with another input") : t("Redriven");
      return { word, icon: "debug-restart", ...PLAIN };
    }
    case "repaired":
      return { word: t("Its message was lost and published again"), icon: "warning", tone: "wait" };
    case "completed":
      return { ...STATUS_LOOKS.completed, word: t("Completed") };
    case "cancelled":
      return { ...STATUS_LOOKS.cancelled, word: t("Cancelled") };
    case "dead": {
      const why = t(DEAD_WORDS[what.reason ?? "attempts-exhausted"], { n: what.attempts });
      return { ...STATUS_LOOKS.dead, word: t("Dead letter: {why}", { why }) };
    }
    case "stale":
      return {
        word: t("A result that came too late was not taken"),
        icon: "warning",
        tone: "wait",
      };
    case "refused":
      return { word: t("Refused"), icon: "lock", ...PLAIN };
    case "other":
      return { word: "", icon: "info", ...PLAIN };
    default:
      return what satisfies never;
  }
}

function priorityLook(what: Extract<Happening, { kind: "priority" }>): Look {
  const { action, from, to } = what;
  const word = `${from ?? "?"} → ${levelWords(to)}`;
  if (action === "undo")
    return { word: t("{change} (undone)", { change: word }), icon: "discard", ...PLAIN };
  if (action === "lower") return { word, icon: "arrow-down", ...PLAIN };
  if (action === "ageing")
    return { word: t("{change} by its age", { change: word }), icon: "clock", ...PLAIN };
  return { word, icon: action === "raise" ? "arrow-up" : ESCALATION_LOOKS[action].icon, ...PLAIN };
}

function MarkWords(props: { mark: Mark }) {
  const { what, by, role, reason } = props.mark;
  return (
    <p class="wrap">
      <Badge look={lookOf(what)} />
      {(what.kind === "other" || what.kind === "refused") && (
        <>
          {" "}
          <Foreign text={what.what} />
        </>
      )}
      {by !== null && <By by={by} role={role} />}
      <Reason reason={reason} />
    </p>
  );
}

/** Who it was, with which role. */
export function By(props: { by: string; role: string | null }) {
  const { by, role } = props;
  return (
    <>
      {" "}
      <span class="dim">{t("by")}</span> <Foreign text={by} />
      {role !== null && <span class="dim"> ({role})</span>}
    </>
  );
}

export function Reason(props: { reason: string | null }): ComponentChildren {
  if (props.reason === null || props.reason === "") return null;
  return (
    <span class="dim">
      {" “"}
      <Foreign text={props.reason} limit={1000} />
      {"”"}
    </span>
  );
}

/** How attempts end, in words; other outcomes are codes of errors. */
const OUTCOMES: Readonly<Record<string, Look>> = {
  completed: { word: key("Completed"), icon: "pass", tone: "ok" },
  running: STATUS_LOOKS.running,
  cancelled: STATUS_LOOKS.cancelled,
  lost: { word: key("Worker lost"), icon: "debug-disconnect", tone: "bad" },
  interrupted: { word: key("Given back"), icon: "debug-step-over", tone: "idle" },
  "timed-out": { word: key("Timed out"), icon: "error", tone: "bad" },
  "handler-failed": { word: key("Failed"), icon: "error", tone: "bad" },
};

function outcomeLook(outcome: string): Look {
  return OUTCOMES[outcome] ?? { word: outcome, icon: "error", tone: "bad" };
}

function ExecutionWords(props: { execution: Execution; maxAttempts: number }) {
  const { execution, maxAttempts } = props;
  const { attempt, worker, outcome, endedAt, durationMs, error, at } = execution;
  const look = outcomeLook(outcome);
  const ms = endedAt === null ? Math.max(0, now.value - at) : (durationMs ?? endedAt - at);
  return (
    <>
      <p class="tl-line">
        <span class="strong nowrap">
          {t("Attempt {n} of {all}", { n: attempt, all: Math.max(attempt, maxAttempts) })}
        </span>
        <Badge look={look} word={t(look.word)} />
        <Duration ms={ms} />
        {worker !== null && (
          <span class="dim cut">
            {t("worker")} <Foreign text={worker} limit={60} />
          </span>
        )}
      </p>
      {error !== null && <ErrorOf error={error} hideCode={error.code === outcome} />}
    </>
  );
}

/** What went wrong in one line, and the stack for who wants it. */
export function ErrorOf(props: { error: AttemptError; hideCode?: boolean }) {
  const { code, message, stack } = props.error;
  const words = (
    <>
      <Foreign text={message} limit={600} />
      {props.hideCode !== true && <span class="mono dim"> {code}</span>}
    </>
  );
  if (stack === undefined) {
    return <p class="wrap">{words}</p>;
  }
  return (
    <details class="error-more">
      <summary>{words}</summary>
      <LongText text={stack} />
    </details>
  );
}
