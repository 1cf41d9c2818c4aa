/** What authors and scripts import as "msg-sys". */
export * as z from "zod";
export type {
  ActOptions,
  Client,
  Enqueued,
  EnqueueOptions,
  EnqueueRequest,
  FollowEvent,
  FollowFilter,
  Following,
  ListOptions,
  RedriveOptions,
  RequestOptions,
  RunOptions,
  RunProgress,
  Target,
  TaskEnd,
  WaitOptions,
  WaitRunOptions,
} from "../shared/bus/client.ts";
export type { RunView, StatusView, TaskDetail, TaskSummary } from "../shared/control.ts";
export { AppError } from "../shared/errors.ts";
export type {
  FollowUpOptions,
  TaskContext,
  TaskDefinition,
  TaskHandler,
  TaskHooks,
  TaskLog,
  TaskOptions,
  WorkspaceConfig,
} from "./define.ts";
export { nonRetryable, retryLater } from "./outcome-errors.ts";
export { type ConnectedClient, type ConnectOptions, connect } from "./sdk/connect.ts";
export { defineConfig } from "./sdk/define-config.ts";
export { defineTask } from "./sdk/define-task.ts";
export { type Working, type WorkOptions, work } from "./sdk/work.ts";
