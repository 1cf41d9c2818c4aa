import type { RunView } from "../../shared/control.ts";
import { can } from "../../shared/roles.ts";
import { formatDuration } from "../../shared/time.ts";
import type { PipelineModel, RunModel } from "../state/run-model.ts";
import { runCapabilities } from "./capabilities.ts";
import { line } from "./foreign.ts";
import type { NodeView } from "./node.ts";
import type { NodeContext } from "./queue-nodes.ts";
import { statusIcon, statusWord } from "./status-looks.ts";
import { ago, lasting, percent, shortId } from "./words.ts";

/** Pipelines, their runs, and the phases of each. */
export function pipelineNodes(model: RunModel, context: NodeContext): readonly NodeView[] {
  return model.pipelines.map((pipeline) => pipelineNode(pipeline, model, context));
}

function pipelineNode(pipeline: PipelineModel, model: RunModel, context: NodeContext): NodeView {
  const { say, identity } = context;
  const { name, runs, phases } = pipeline;
  const running = runs.filter(({ status }) => status === "running").length;
  const isKnown = phases.length > 0;
  const mayRun = isKnown && identity !== null && can(identity.role, "run_tasks");
  const description =
    running > 0
      ? say("{n} running", { n: running })
      : runs.length === 0
        ? say("No run yet")
        : isKnown
          ? ""
          : say("No worker offers it");
  const children = runs.map((run) => runNode(run, model, context));
  if (pipeline.hasMore) children.push(olderNode(name, context));
  const label = line(name.toUpperCase(), 60);
  return {
    key: `pipeline:${name}`,
    target: { kind: "pipeline", id: name },
    label,
    description,
    icon: { id: "type-hierarchy-sub", color: null },
    contextValue: mayRun ? "pipeline" : "",
    accessibility: [say("Pipeline {name}", { name: label }), description]
      .filter((part) => part !== "")
      .join(", "),
    collapsible: runs.length === 0 ? "none" : "expanded",
    tooltip: isKnown ? phases.join(" → ") : null,
    command: null,
    children,
  };
}

function olderNode(pipeline: string, { say }: NodeContext): NodeView {
  const label = say("Older runs…");
  return {
    key: `older:${pipeline}`,
    target: { kind: "pipeline", id: pipeline },
    label,
    description: say("in the dashboard"),
    icon: { id: "ellipsis", color: null },
    contextValue: "",
    accessibility: say("{label} Opens the dashboard.", { label }),
    collapsible: "none",
    tooltip: null,
    command: {
      id: "msgSys.dashboard.open",
      title: say("Open Dashboard"),
      args: [{ screen: "runs", filter: `pipeline:${pipeline}` }],
    },
    children: [],
  };
}

function runNode(run: RunView, model: RunModel, context: NodeContext): NodeView {
  const { say } = context;
  const label = say("Run {id}", { id: shortId(run.id) });
  const words = runWords(run, context);
  return {
    key: `run:${run.id}`,
    target: { kind: "run", id: run.id },
    label,
    description: words.join(" · "),
    icon: statusIcon(run.status),
    contextValue: runCapabilities(run, context.identity).join(" "),
    accessibility: [label, statusWord(run.status, say), ...words].join(", "),
    // A key of its own per state would lose the selection; VS Code keeps what the user opened or closed.
    collapsible: run.status === "running" ? "expanded" : "collapsed",
    tooltip: null,
    command: null,
    children: run.phases.map((phase) => phaseNode(run, phase, model, context)),
  };
}

/** `by ada · 2 of 4 phases · 3m 10s`, `yesterday · 6m 51s`, `failed at classify`. */
function runWords(run: RunView, context: NodeContext): string[] {
  const { say } = context;
  const { status, phases, createdAt, endedAt, warnings } = run;
  const done = phases.filter((phase) => phase.status === "completed").length;
  const by = say("by {user}", { user: line(run.by, 40) });
  if (status === "running") {
    const of = say("{done} of {all} phases", { done, all: phases.length });
    return [by, of, lasting(createdAt, context)];
  }
  const took =
    endedAt === null
      ? []
      : [formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(createdAt)))];
  const warned =
    warnings === 0
      ? []
      : [warnings === 1 ? say("1 warning") : say("{n} warnings", { n: warnings })];
  const failed = phases.find((phase) => phase.status === "dead")?.phase;
  const how =
    status === "failed"
      ? [
          failed === undefined
            ? say("failed")
            : say("failed at {phase}", { phase: line(failed, 40) }),
        ]
      : status === "cancelled"
        ? [say("cancelled")]
        : [];
  return [...how, ago(endedAt ?? createdAt, context), ...took, ...warned, by];
}

type Phase = RunView["phases"][number];

function phaseNode(run: RunView, phase: Phase, model: RunModel, context: NodeContext): NodeView {
  const { say } = context;
  const label = line(phase.phase, 60);
  const words = phaseWords(phase, model, context);
  return {
    key: `phase:${run.id}:${phase.phase}`,
    target: { kind: "phase", id: phase.taskId ?? "" },
    label,
    description: words.join(" · "),
    icon: statusIcon(phase.status),
    contextValue: phase.taskId === null ? "" : "phase",
    accessibility: [
      say("Phase {phase}", { phase: label }),
      statusWord(phase.status, say),
      ...words,
    ].join(", "),
    collapsible: "none",
    tooltip: phase.error === null ? null : line(phase.error, 1000),
    command: null,
    children: [],
  };
}

function phaseWords(phase: Phase, { progress }: RunModel, context: NodeContext): string[] {
  const { say } = context;
  const { status, startedAt, endedAt, error, taskId } = phase;
  if (status === "running") {
    const known = taskId === null ? undefined : progress.get(taskId);
    const done = known === undefined ? null : percent(known);
    const parts = [done ?? "", startedAt === null ? "" : lasting(startedAt, context)];
    return parts.filter((part) => part !== "");
  }
  if (status === "pending") return [];
  const took =
    startedAt === null || endedAt === null
      ? []
      : [formatDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)))];
  if (status === "completed") return took;
  const why = error === null ? [] : [line(error, 120)];
  return [statusWord(status, say), ...took, ...why];
}
