import * as z from "zod";
import { REMEDIES } from "../connection.ts";
import { VERBS } from "../control.ts";
import { VIEW_VERBS, type ViewCommand, type ViewVerb } from "./messages.ts";

/** Longest text that a view may hand to its host: an export of the history. */
const SAVE_LIMIT = 32 * 1024 * 1024;
const TEXT_LIMIT = 2 * 1024 * 1024;

const hostAct = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("remedy"), remedy: z.enum(REMEDIES) }),
  z.object({ kind: z.literal("copy"), text: z.string().max(TEXT_LIMIT) }),
  z.object({
    kind: z.literal("save"),
    // A bare name: where it goes is the user's choice.
    name: z.string().regex(/^[\w][\w. -]{0,100}$/),
    text: z.string().max(SAVE_LIMIT),
  }),
  z.object({ kind: z.literal("open-source"), task: z.string().max(200) }),
  z.object({
    kind: z.literal("open-json"),
    title: z.string().max(200),
    text: z.string().max(TEXT_LIMIT),
  }),
  z.object({
    kind: z.literal("run-pipeline"),
    pipeline: z.string().max(200),
    phase: z.string().max(200).optional(),
  }),
]);

const envelope = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({
    type: z.literal("request"),
    id: z.number().int().nonnegative(),
    verb: z.enum(VIEW_VERBS),
    body: z.unknown(),
  }),
  z.object({ type: z.literal("feed"), open: z.boolean() }),
  z.object({ type: z.literal("feed-ack"), batch: z.number().int().nonnegative() }),
  z.object({ type: z.literal("live"), on: z.boolean() }),
  z.object({ type: z.literal("host"), id: z.number().int().nonnegative(), act: hostAct }),
]);

/** What a view sent, or why it is none of its commands: nothing of it is used then. */
export type ParsedCommand =
  | { readonly ok: true; readonly command: ViewCommand }
  /** `id`: of the request that must still be answered; null when it names none. */
  | { readonly ok: false; readonly id: number | null; readonly what: string };

export function parseViewCommand(value: unknown): ParsedCommand {
  const outer = envelope.safeParse(value);
  if (!outer.success) return { ok: false, id: idOf(value), what: z.prettifyError(outer.error) };
  const command = outer.data;
  if (command.type !== "request") return { ok: true, command: command as ViewCommand };
  const body = VERBS[command.verb as ViewVerb].request.safeParse(command.body);
  if (!body.success) return { ok: false, id: command.id, what: z.prettifyError(body.error) };
  return { ok: true, command: { ...command, body: body.data } as ViewCommand };
}

function idOf(value: unknown): number | null {
  const id = typeof value === "object" && value !== null && "id" in value ? value.id : null;
  return typeof id === "number" ? id : null;
}
