import type { TaskSummary } from "../../shared/control.ts";
import type { DeadLetterModel } from "../state/dead-letter-model.ts";
import { taskCapabilities } from "./capabilities.ts";
import { line } from "./foreign.ts";
import type { NodeView } from "./node.ts";
import type { NodeContext } from "./queue-nodes.ts";
import { statusIcon } from "./status-looks.ts";
import { ago, count, shortId } from "./words.ts";

/** The newest dead letters, and what is more. */
export function deadLetterNodes(model: DeadLetterModel, context: NodeContext): readonly NodeView[] {
  const letters = model.letters.map((letter) => letterNode(letter, context));
  const more = model.total - model.letters.length;
  return more > 0 ? [...letters, moreNode(more, context)] : letters;
}

function letterNode(letter: TaskSummary, context: NodeContext): NodeView {
  const { say } = context;
  const { id, attempts, endedAt, error, createdAt } = letter;
  const name = line(letter.name, 100);
  const tried = attempts === 1 ? say("1 attempt") : say("{n} attempts", { n: attempts });
  const when = ago(endedAt ?? createdAt, context);
  const parts = [when, line(error ?? "", 80), tried].filter((part) => part !== "");
  return {
    key: `dead:${id}`,
    target: { kind: "dead", id },
    label: name,
    description: `${parts.join(" · ")}  ${shortId(id)}`,
    icon: statusIcon("dead"),
    contextValue: taskCapabilities(letter, context.identity).join(" "),
    accessibility: [say("{name}, dead letter", { name }), ...parts].join(", "),
    collapsible: attempts > 0 ? "collapsed" : "none",
    tooltip: null,
    command: null,
    children: attempts > 0 ? null : [],
  };
}

function moreNode(more: number, { say, locale }: NodeContext): NodeView {
  const label = say("{n} more…", { n: count(more, locale) });
  return {
    key: "more:dead",
    target: { kind: "bucket", id: "dead" },
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
      args: [{ screen: "dead" }],
    },
    children: [],
  };
}
