import { streamState } from "../nats/streams.ts";
import type { ReconcileDeps } from "./reconcile.ts";

const MOST_IDS = 100_000;

/**
 * Takes away dead letters of tasks that are not dead any more: a redrive whose daemon died before it could do so leaves
 * one, and a server that was killed may bring a removed one back. Looks only when there are more letters than dead tasks.
 * Answers how many went.
 */
export async function clearStrayLetters(deps: ReconcileDeps): Promise<number> {
  const { names, wire, audit } = deps;
  const { messages } = await streamState(wire, names.stream.dead);
  if (messages <= deps.reader().counts().dead) return 0;
  const info = await wire.api<{ state: { subjects?: Record<string, number> } }>(
    `$JS.API.STREAM.INFO.${names.stream.dead}`,
    { subjects_filter: ">" },
  );
  const dead = new Set(await audit.offThread.ids({ status: ["dead"] }, MOST_IDS));
  let cleared = 0;
  for (const subject of Object.keys(info.state.subjects ?? {})) {
    const [queue, id] = subject.split(".").slice(-2);
    if (queue === undefined || id === undefined || dead.has(id)) continue;
    if (await clearOne(deps, subject, queue, id)) cleared++;
  }
  return cleared;
}

async function clearOne(
  deps: ReconcileDeps,
  subject: string,
  queue: string,
  id: string,
): Promise<boolean> {
  const { names, wire, journal } = deps;
  // The letter first: what the journal says after that is later than the death that the letter tells of.
  const letter = await wire.last(names.stream.dead, subject);
  if (letter === null) return false;
  const entry = await journal.read(queue, id);
  const status = entry?.record.s ?? deps.reader().task(id)?.status ?? "dead";
  if (status === "dead") return false;
  if (!(await wire.remove(names.stream.dead, letter.seq))) return false;
  deps.audit.note({
    at: deps.now(),
    kind: "repaired",
    by: "msgsys",
    taskId: id,
    detail: { repair: "stray dead letter removed", queue },
  });
  deps.log("stray_letter_removed", { taskId: id });
  return true;
}
