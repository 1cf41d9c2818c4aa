/**
 * Every public id of the extension with its type: commands, views, context keys, settings, words of `contextValue`.
 * `package.json` says the same to VS Code; a test compares the two in both directions.
 */
import type { ConnectionState, Remedy } from "../shared/connection.ts";
import type { Role } from "../shared/roles.ts";
import type { Address } from "../shared/view/messages.ts";

/** What a menu of a tree hands to a command: the node it was opened on, and all that are selected. */
export interface TreeTarget {
  readonly kind: "task" | "dead" | "run" | "pipeline" | "phase" | "lane" | "bucket" | "attempt";
  /** Of a task, a run, a pipeline …; what the kind says. */
  readonly id: string;
}
type TreeArgs = [node?: TreeTarget | undefined, selected?: readonly TreeTarget[] | undefined];

/** The arguments of each command; from the palette it comes without any. */
export interface CommandArgs {
  "msgSys.dashboard.open": [address?: Address | undefined];
  "msgSys.dashboard.reveal": TreeArgs;
  "msgSys.connection.show": [];
  "msgSys.connection.retry": [];
  "msgSys.connection.choose": [];
  "msgSys.daemon.start": [];
  "msgSys.daemon.stop": [];
  "msgSys.daemon.restart": [];
  "msgSys.logs.show": [];
  "msgSys.daemonLog.show": [];
  "msgSys.account.signIn": [];
  "msgSys.account.signOut": [];
  "msgSys.settings.open": [];
  "msgSys.live.pause": [];
  "msgSys.live.resume": [];
  "msgSys.notifications.muteConnection": [];
  "msgSys.cls.runAll": [];
  "msgSys.cls.runSync": [];
  "msgSys.cls.runIntegrate": [];
  "msgSys.cls.runClassify": [];
  "msgSys.cls.runExport": [];
  "msgSys.cls.previewSync": [];
  "msgSys.cls.undoFile": [];
  "msgSys.cls.reviewConflicts": [];
  "msgSys.pipeline.run": [
    target?: TreeTarget | { readonly pipeline: string; readonly phase?: string } | undefined,
  ];
  "msgSys.run.again": TreeArgs;
  "msgSys.run.cancel": TreeArgs;
  "msgSys.task.enqueue": [];
  "msgSys.input.send": [];
  "msgSys.task.escalate": TreeArgs;
  "msgSys.task.prioritize": TreeArgs;
  "msgSys.task.urgent": TreeArgs;
  "msgSys.task.critical": TreeArgs;
  "msgSys.task.lower": TreeArgs;
  "msgSys.task.undoPriority": TreeArgs;
  "msgSys.task.runNow": TreeArgs;
  "msgSys.task.cancel": TreeArgs;
  "msgSys.task.retry": TreeArgs;
  "msgSys.task.showDetail": TreeArgs;
  "msgSys.task.showAudit": TreeArgs;
  "msgSys.task.copyId": TreeArgs;
  "msgSys.task.copyParams": TreeArgs;
  "msgSys.task.copyTraceId": TreeArgs;
  "msgSys.deadLetters.open": [];
  "msgSys.deadLetters.redrive": [];
  "msgSys.deadLetter.redrive": TreeArgs;
  "msgSys.views.refresh": [];
}
export type CommandId = keyof CommandArgs;

/** Where a command is found: `palette` also without a node, `menu` only on one. */
export const COMMANDS: { readonly [C in CommandId]: "palette" | "menu" } = {
  "msgSys.dashboard.open": "palette",
  "msgSys.dashboard.reveal": "menu",
  "msgSys.connection.show": "palette",
  "msgSys.connection.retry": "palette",
  "msgSys.connection.choose": "palette",
  "msgSys.daemon.start": "palette",
  "msgSys.daemon.stop": "palette",
  "msgSys.daemon.restart": "palette",
  "msgSys.logs.show": "palette",
  "msgSys.daemonLog.show": "palette",
  "msgSys.account.signIn": "palette",
  "msgSys.account.signOut": "palette",
  "msgSys.settings.open": "palette",
  "msgSys.live.pause": "palette",
  "msgSys.live.resume": "palette",
  "msgSys.notifications.muteConnection": "palette",
  "msgSys.cls.runAll": "palette",
  "msgSys.cls.runSync": "palette",
  "msgSys.cls.runIntegrate": "palette",
  "msgSys.cls.runClassify": "palette",
  "msgSys.cls.runExport": "palette",
  "msgSys.cls.previewSync": "palette",
  "msgSys.cls.undoFile": "palette",
  "msgSys.cls.reviewConflicts": "palette",
  "msgSys.pipeline.run": "palette",
  "msgSys.run.again": "menu",
  "msgSys.run.cancel": "menu",
  "msgSys.task.enqueue": "palette",
  "msgSys.input.send": "menu",
  "msgSys.task.escalate": "palette",
  "msgSys.task.prioritize": "menu",
  "msgSys.task.urgent": "menu",
  "msgSys.task.critical": "menu",
  "msgSys.task.lower": "menu",
  "msgSys.task.undoPriority": "menu",
  "msgSys.task.runNow": "menu",
  "msgSys.task.cancel": "palette",
  "msgSys.task.retry": "palette",
  "msgSys.task.showDetail": "palette",
  "msgSys.task.showAudit": "palette",
  "msgSys.task.copyId": "menu",
  "msgSys.task.copyParams": "menu",
  "msgSys.task.copyTraceId": "menu",
  "msgSys.deadLetters.open": "palette",
  "msgSys.deadLetters.redrive": "palette",
  "msgSys.deadLetter.redrive": "menu",
  "msgSys.views.refresh": "menu",
};

/** The commands that `app.ts` itself answers. */
export type CoreCommandId = Extract<
  CommandId,
  | "msgSys.connection.retry"
  | "msgSys.connection.choose"
  | `msgSys.daemon.${string}`
  | "msgSys.logs.show"
  | "msgSys.daemonLog.show"
  | `msgSys.account.${string}`
  | "msgSys.settings.open"
  | `msgSys.live.${string}`
  | `msgSys.notifications.${string}`
  | "msgSys.deadLetters.open"
>;
/** Those of `dashboard/`. */
export type DashboardCommandId = "msgSys.dashboard.open" | "msgSys.connection.show";
/** Those of `commands/` and `views/`. */
export type WorkCommandId = Exclude<CommandId, CoreCommandId | DashboardCommandId>;

/** Views of the container `msgSys`. */
export const VIEWS = {
  queues: "msgSys.queues",
  pipelines: "msgSys.pipelines",
  deadLetters: "msgSys.deadLetters",
  feed: "msgSys.feed",
} as const;
export type ViewId = (typeof VIEWS)[keyof typeof VIEWS];
export const CONTAINER = "msgSys";
/** The panel of the dashboard. */
export const DASHBOARD = "msgSys.dashboard";
export const STATUS_BAR_ITEM = "msgSys.status";
export const WALKTHROUGH = "start";

/** Keys of `when` clauses and what they hold; unset before the extension is active. */
export interface ContextValues {
  "msgSys.connection": ConnectionState["kind"];
  /** The cause of being offline or reconnecting; empty otherwise. */
  "msgSys.cause": string;
  "msgSys.role": Role | "";
  /** A connection profile is chosen: the daemon belongs to another machine, nothing can be started here. */
  "msgSys.remote": boolean;
  "msgSys.livePaused": boolean;
  "msgSys.hasDeadLetters": boolean;
}
export type ContextKey = keyof ContextValues;
export const CONTEXT_KEYS: { readonly [K in ContextKey]: true } = {
  "msgSys.connection": true,
  "msgSys.cause": true,
  "msgSys.role": true,
  "msgSys.remote": true,
  "msgSys.livePaused": true,
  "msgSys.hasDeadLetters": true,
};

/** A daemon on another machine. The seed of its user is in VS Code's secret storage, never in a setting. */
export interface ConnectionProfile {
  readonly url: string;
  /** Default `ms`. */
  readonly prefix?: string;
  /** PEM file of the server's certificate, when no authority signed it. */
  readonly tlsCertificate?: string;
}

/** The settings with their types; units stand in the names. */
export interface SettingValues {
  "msgSys.connection.profiles": Readonly<Record<string, ConnectionProfile>>;
  /** Name of a profile; empty: the daemon of this machine. */
  "msgSys.connection.profile": string;
  "msgSys.daemon.dataDirectory": string;
  "msgSys.daemon.startWhenNeeded": boolean;
  "msgSys.daemon.stopOnExit": boolean;
  "msgSys.daemon.configFile": string;
  "msgSys.daemon.nodePath": string;
  "msgSys.daemon.natsServerPath": string;
  "msgSys.queues.tasksPerBucket": number;
  "msgSys.queues.oldestWaitSeconds": number;
  "msgSys.queues.backlogTasks": number;
  "msgSys.notifications.connection": boolean;
  "msgSys.notifications.deadLetters": boolean;
  "msgSys.notifications.runs": boolean;
}
export type SettingKey = keyof SettingValues;

/** The defaults, for before VS Code was asked and for whoever has no configuration. */
export const SETTINGS: { readonly [K in SettingKey]: SettingValues[K] } = {
  "msgSys.connection.profiles": {},
  "msgSys.connection.profile": "",
  "msgSys.daemon.dataDirectory": "",
  "msgSys.daemon.startWhenNeeded": true,
  "msgSys.daemon.stopOnExit": false,
  "msgSys.daemon.configFile": "",
  "msgSys.daemon.nodePath": "",
  "msgSys.daemon.natsServerPath": "",
  "msgSys.queues.tasksPerBucket": 50,
  "msgSys.queues.oldestWaitSeconds": 120,
  "msgSys.queues.backlogTasks": 1000,
  "msgSys.notifications.connection": true,
  "msgSys.notifications.deadLetters": true,
  "msgSys.notifications.runs": true,
};

/**
 * The words that a node's `contextValue` is made of: what it is, and what this user may do with it. Menus match them with
 * `viewItem =~ /\bword\b/`, so no word may be a part of another one that is cut off at a hyphen.
 */
export const CAPABILITIES = [
  "task",
  "dead",
  "run",
  "pipeline",
  "phase",
  "lane",
  /** Its level can be raised by this role, to any level at all. */
  "escalatable",
  /** To this very level. */
  "prioritizable",
  "urgentable",
  "criticalable",
  "lowerable",
  "undoable",
  /** Scheduled or retrying: it can start at once. */
  "startable",
  /** Waits: cancelling it drops it. */
  "cancelable",
  /** Runs: cancelling it stops its worker's handler. */
  "abortable",
  "retryable",
  "redrivable",
  "repeatable",
] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** What a guidance offers, as commands. */
export const REMEDY_COMMANDS: { readonly [R in Remedy]: CommandId | "workbench.trust.manage" } = {
  "start-daemon": "msgSys.daemon.start",
  "restart-daemon": "msgSys.daemon.restart",
  retry: "msgSys.connection.retry",
  "show-log": "msgSys.daemonLog.show",
  "open-settings": "msgSys.settings.open",
  "sign-in": "msgSys.account.signIn",
  "manage-trust": "workbench.trust.manage",
};
