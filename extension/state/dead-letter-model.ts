import type { Client } from "../../shared/bus/client.ts";
import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { TaskSummary } from "../../shared/control.ts";
import type { Loaded } from "./live-model.ts";

/** What the Dead Letters view shows: the newest letters, and how many there are. */
export interface DeadLetterModel {
  readonly letters: readonly TaskSummary[];
  readonly total: number;
}

export async function loadDeadLetters(
  client: Client,
  limit: number,
): Promise<Loaded<DeadLetterModel>> {
  const [page, status] = await Promise.all([
    client.list({ where: { status: ["dead"] }, limit }),
    client.status(),
  ]);
  const letters = [...page.tasks].sort((a, b) => (b.endedAt ?? "").localeCompare(a.endedAt ?? ""));
  const total = page.next === null ? letters.length : Math.max(status.counts.dead, letters.length);
  return { value: { letters, total }, isBehind: status.audit.lagRecords > 0 };
}

/** Whether a letter comes or goes. */
export function concernsDeadLetters(event: FollowEvent): boolean {
  if (event.kind !== "task") return false;
  const { s, act } = event.record;
  return s === "dead" || act === "redrive" || act === "retry" || act === "discard";
}

/** Takes a letter that was redriven away at once; a new one is asked for, because its record lacks half of what is shown. */
export function reduceDeadLetters(model: DeadLetterModel, event: FollowEvent): DeadLetterModel {
  if (event.kind !== "task" || event.status === "dead") return model;
  const letters = model.letters.filter(
    ({ id, generation }) => id !== event.taskId || generation >= event.record.g,
  );
  if (letters.length === model.letters.length) return model;
  return { letters, total: Math.max(letters.length, model.total - 1) };
}

/** `timeout (2)`: the same failures together, the most frequent first. Numbers and ids in a message do not tell it apart. */
export function causesOf(letters: readonly Pick<TaskSummary, "error">[], most = 3): string[] {
  const causes = new Map<string, { text: string; times: number }>();
  for (const { error } of letters) {
    const text = (error ?? "").split("\n", 1)[0]!.trim();
    const kind = text.replace(/[0-9a-f]{8,}|\d+/gi, "#");
    const known = causes.get(kind);
    if (known) known.times += 1;
    else causes.set(kind, { text, times: 1 });
  }
  return [...causes.values()]
    .sort((a, b) => b.times - a.times)
    .slice(0, most)
    .map(({ text, times }) => `${text === "" ? "?" : text} (${times})`);
}
