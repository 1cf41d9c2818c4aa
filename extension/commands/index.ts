import * as vscode from "vscode";
import type { App, CommandTable } from "../app-context.ts";
import type { WorkCommandId } from "../contributions.ts";
import type { Views } from "../views/views.ts";
import { previewSync, reviewConflicts, undoFile } from "./cls.ts";
import { redriveDeadLetters, redriveNodes } from "./dead-letter.ts";
import type { CommandDeps } from "./deps.ts";
import { createDocuments } from "./documents.ts";
import { enqueueTask } from "./enqueue-task.ts";
import { escalateTask, lowerTask, moveTo, undoPriority } from "./escalate.ts";
import { createInputEditor } from "./input-editor.ts";
import { cancelRuns, runAgain, runCls, runPipeline } from "./run-pipeline.ts";
import {
  cancelTasks,
  copyIds,
  copyParams,
  copyTraceIds,
  retryTasks,
  reveal,
  showAudit,
  showDetail,
} from "./task.ts";

/** The commands on work: what they do, and what becomes of them without a daemon. */
export function createWorkCommands(app: App, views: Views): CommandTable<WorkCommandId> {
  const documents = createDocuments(app);
  const editor = createInputEditor(app);
  const deps: CommandDeps = { app, views, documents, editor };
  return {
    ...runCommands(deps),
    ...taskCommands(deps),
    "msgSys.deadLetters.redrive": {
      whenOffline: "explain",
      run: (client) => redriveDeadLetters(client, deps),
    },
    "msgSys.deadLetter.redrive": {
      whenOffline: "explain",
      run: (client, ...args) => redriveNodes(client, deps, ...args),
    },
    "msgSys.views.refresh": { whenOffline: "explain", run: () => views.refresh() },
  };
}

type RunCommandId = Extract<
  WorkCommandId,
  `msgSys.cls.${string}` | `msgSys.pipeline.${string}` | `msgSys.run.${string}`
>;

/** What somebody runs starts a daemon, if none is there. */
function runCommands(deps: CommandDeps): CommandTable<RunCommandId> {
  const { l10n } = vscode;
  const cls = (phase: string | null, title: string) =>
    ({ whenOffline: "start", run: runCls(phase, title, deps) }) as const;
  return {
    "msgSys.cls.runAll": cls(null, l10n.t("Run CLS All")),
    "msgSys.cls.runSync": cls("sync", l10n.t("Run CLS Sync")),
    "msgSys.cls.runIntegrate": cls("integrate", l10n.t("Run CLS Integrate")),
    "msgSys.cls.runClassify": cls("classify", l10n.t("Run CLS Classify")),
    "msgSys.cls.runExport": cls("export", l10n.t("Run CLS Export")),
    "msgSys.cls.previewSync": {
      whenOffline: "start",
      run: (client) => previewSync(client, deps),
    },
    "msgSys.cls.undoFile": { whenOffline: "start", run: (client) => undoFile(client, deps) },
    "msgSys.cls.reviewConflicts": {
      whenOffline: "start",
      run: (client) => reviewConflicts(client, deps),
    },
    "msgSys.pipeline.run": {
      whenOffline: "start",
      run: (client, target) => runPipeline(client, deps, target),
    },
    "msgSys.run.again": {
      whenOffline: "explain",
      run: (client, ...args) => runAgain(client, deps, ...args),
    },
    "msgSys.run.cancel": {
      whenOffline: "explain",
      run: (client, ...args) => cancelRuns(client, deps, ...args),
    },
  };
}

type TaskCommandId = Exclude<
  WorkCommandId,
  RunCommandId | `msgSys.deadLetter${string}` | "msgSys.views.refresh"
>;

function taskCommands(deps: CommandDeps): CommandTable<TaskCommandId> {
  const whenOffline = "explain";
  const { editor } = deps;
  return {
    "msgSys.dashboard.reveal": { whenOffline: "run", run: (...args) => reveal(deps, ...args) },
    "msgSys.task.enqueue": { whenOffline: "start", run: (client) => enqueueTask(client, deps) },
    "msgSys.input.send": { whenOffline, run: (client) => editor.sendActive(client) },
    "msgSys.task.escalate": {
      whenOffline,
      run: (client, ...args) => escalateTask(client, deps, ...args),
    },
    "msgSys.task.prioritize": { whenOffline, run: moveTo("prioritize", deps) },
    "msgSys.task.urgent": { whenOffline, run: moveTo("urgent", deps) },
    "msgSys.task.critical": { whenOffline, run: moveTo("critical", deps) },
    "msgSys.task.lower": {
      whenOffline,
      run: (client, ...args) => lowerTask(client, deps, ...args),
    },
    "msgSys.task.undoPriority": {
      whenOffline,
      run: (client, ...args) => undoPriority(client, deps, ...args),
    },
    // Scheduled and retrying tasks start at once: what the daemon calls a retry.
    "msgSys.task.runNow": {
      whenOffline,
      run: (client, ...args) => retryTasks(client, deps, ...args),
    },
    "msgSys.task.retry": {
      whenOffline,
      run: (client, ...args) => retryTasks(client, deps, ...args),
    },
    "msgSys.task.cancel": {
      whenOffline,
      run: (client, ...args) => cancelTasks(client, deps, ...args),
    },
    "msgSys.task.showDetail": {
      whenOffline,
      run: (client, ...args) => showDetail(client, deps, ...args),
    },
    "msgSys.task.showAudit": {
      whenOffline,
      run: (client, ...args) => showAudit(client, deps, ...args),
    },
    "msgSys.task.copyId": { whenOffline: "run", run: (...args) => copyIds(deps, ...args) },
    "msgSys.task.copyParams": {
      whenOffline,
      run: (client, ...args) => copyParams(client, deps, ...args),
    },
    "msgSys.task.copyTraceId": {
      whenOffline,
      run: (client, ...args) => copyTraceIds(client, deps, ...args),
    },
  };
}
