/** Priority levels 0–10. A level is the priority itself; a bucket is only a label computed from it. */
export const LOWEST_LEVEL = 0;
export const HIGHEST_LEVEL = 10;
export const DEFAULT_LEVEL = 5;

/** Names as people see them, indexed by level. */
export const LEVEL_NAMES = [
  "Lowest",
  "Maintenance",
  "Background",
  "Low",
  "Below normal",
  "Normal",
  "Above normal",
  "Raised",
  "Prioritize",
  "Urgent",
  "Critical",
] as const;

export type Bucket = "high" | "normal" | "low";

/** `high` 8–10, `normal` 4–7, `low` 0–3. */
export function bucketOf(level: number): Bucket {
  if (level >= 8) return "high";
  return level >= 4 ? "normal" : "low";
}

/** The three named ways to raise a waiting task, with the level each sets. */
export const ESCALATIONS = { prioritize: 8, urgent: 9, critical: 10 } as const;
export type EscalationAction = keyof typeof ESCALATIONS;

/** What a change of priority is called in the history. */
export type PriorityAction = EscalationAction | "raise" | "lower" | "undo" | "ageing";

export const CATEGORIES = ["etl", "webapp", "report", "alert"] as const;
export type Category = (typeof CATEGORIES)[number];

export const PHASES = [
  "extract",
  "transform",
  "load",
  "default",
  "sync",
  "integrate",
  "classify",
  "export",
] as const;
export type Phase = (typeof PHASES)[number];

export function isLevel(value: unknown): value is number {
  return (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value >= LOWEST_LEVEL &&
    value <= HIGHEST_LEVEL
  );
}

/** The name of the act that moves a task from one level to another. */
export function actionOf(from: number, to: number): PriorityAction {
  if (to < from) return "lower";
  for (const [action, level] of Object.entries(ESCALATIONS)) {
    if (level === to) return action as EscalationAction;
  }
  return "raise";
}
