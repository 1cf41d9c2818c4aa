import * as vscode from "vscode";
import type { Client } from "../../shared/bus/client.ts";
import { AppError } from "../../shared/errors.ts";
import type { TreeTarget } from "../contributions.ts";
import { shortId } from "../views/words.ts";
import { askForm } from "./ask-form.ts";
import type { CommandDeps } from "./deps.ts";
import { eachOf } from "./escalate.ts";
import { type Pipeline, phasesUpTo, pipelineForm } from "./pipeline-form.ts";
import { report, tell } from "./report.ts";
import { targetsOf } from "./targets.ts";
import { ask, BACK, type Item, pick } from "./ui.ts";

type TreeArgs = [node?: TreeTarget | undefined, selected?: readonly TreeTarget[] | undefined];

const CLS = "cls_all";

/** Run CLS Sync, Integrate, Classify, Export: that phase and those before it; All: every phase. */
export function runCls(phase: string | null, title: string, deps: CommandDeps) {
  return async (client: Client): Promise<void> => {
    await askAndRun(client, deps, await findPipeline(client, CLS), phase, title);
  };
}

/** Waits for the workers of a daemon that was started a moment ago: they tell the tasks that they can run. */
async function findPipeline(client: Client, name: string): Promise<Pipeline> {
  const { pipelines } = await client.definitions();
  const found = pipelines.find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = pipelines.map((one) => one.name).join(", ");
  throw new AppError("unknown-pipeline", { name, known: known === "" ? "–" : known });
}

/** Run Pipeline…: which one, up to which phase, with what. */
export async function runPipeline(
  client: Client,
  deps: CommandDeps,
  target?: TreeTarget | { readonly pipeline: string; readonly phase?: string },
): Promise<void> {
  const title = vscode.l10n.t("Run Pipeline");
  const named = nameIn(target);
  const pipeline =
    named === null ? await pickPipeline(client, title) : await findPipeline(client, named);
  if (pipeline === undefined) return;
  const given = target !== undefined && "phase" in target ? (target.phase ?? null) : undefined;
  const phase = given === undefined ? await pickPhase(pipeline, title) : given;
  if (phase === undefined) return;
  const words = vscode.l10n.t("Run {pipeline}", { pipeline: pipeline.name.toUpperCase() });
  await askAndRun(client, deps, pipeline, phase, words);
}

function nameIn(target: TreeTarget | { readonly pipeline: string } | undefined): string | null {
  if (target === undefined) return null;
  if ("pipeline" in target) return target.pipeline;
  return target.kind === "pipeline" ? target.id : null;
}

async function pickPipeline(client: Client, title: string): Promise<Pipeline | undefined> {
  const { pipelines } = await client.definitions();
  if (pipelines.length === 1) return pipelines[0];
  const items = pipelines.map((one) => ({
    value: one,
    label: `$(type-hierarchy-sub) ${one.name.toUpperCase()}`,
    description: one.phases.join(" → "),
  }));
  const picked = await pick({ title, placeholder: vscode.l10n.t("Which pipeline?"), items });
  return picked === BACK ? undefined : picked;
}

/** `null`: all phases; `undefined`: left. */
async function pickPhase(pipeline: Pipeline, title: string): Promise<string | null | undefined> {
  const { phases } = pipeline;
  if (phases.length < 2) return null;
  const items: Item<string | null>[] = [
    { value: null, label: vscode.l10n.t("All phases"), description: phases.join(" → ") },
    ...phases.slice(0, -1).map((phase) => ({
      value: phase,
      label: vscode.l10n.t("Up to {phase}", { phase }),
      description: phasesUpTo(pipeline, phase).join(" → "),
    })),
  ];
  const picked = await pick({ title, placeholder: vscode.l10n.t("How far?"), items });
  return picked === BACK ? undefined : picked;
}

async function askAndRun(
  client: Client,
  deps: CommandDeps,
  pipeline: Pipeline,
  phase: string | null,
  title: string,
): Promise<void> {
  const { role } = await client.request("whoami", {});
  const phases = phasesUpTo(pipeline, phase);
  const answer = await askForm(deps.app, {
    title,
    send: title,
    form: pipelineForm(pipeline, phases),
    // The folders of one phase are those of the next.
    key: `pipeline.${pipeline.name}`,
    role,
  });
  if (answer === undefined) return;
  const start = async (connected: Client, json: string): Promise<void> => {
    const params = JSON.parse(json) as Record<string, unknown>;
    const priority = answer.level;
    const { runId } = await connected.run(pipeline.name, { phases, params, priority });
    await started(deps, runId);
  };
  if (answer.kind === "send") await start(client, answer.json);
  else await deps.editor.open({ name: pipeline.name, text: answer.text, send: start });
}

async function started({ views }: CommandDeps, runId: string): Promise<void> {
  tell(vscode.l10n.t("Run {id} started", { id: shortId(runId) }));
  await views.revealRun(runId);
}

/** Run Again: the same phases with the same parameters. */
export async function runAgain(
  client: Client,
  deps: CommandDeps,
  ...[node, selected]: TreeArgs
): Promise<void> {
  const [target] = targetsOf(["run"], node, selected, deps.views.selection());
  if (target === undefined) return;
  const { pipeline, phases, params, priority } = await client.getRun(target.id);
  const names = phases.map(({ phase }) => phase);
  const { runId } = await client.run(pipeline, { phases: names, params, priority });
  await started(deps, runId);
}

/** Cancel Run: the phase that runs is stopped, the others do not begin. */
export async function cancelRuns(
  client: Client,
  deps: CommandDeps,
  ...[node, selected]: TreeArgs
): Promise<void> {
  const targets = targetsOf(["run"], node, selected, deps.views.selection());
  if (targets.length === 0) return;
  const reason = await ask({
    title: vscode.l10n.t("Cancel Run"),
    prompt: vscode.l10n.t("Why? (may be left empty) Enter cancels, Escape leaves all as it is."),
    problem: (text) => (text.length > 1000 ? vscode.l10n.t("At most 1000 characters.") : null),
  });
  if (typeof reason !== "string") return;
  const why = reason.trim() === "" ? undefined : reason.trim();
  report("cancel", await eachOf(targets, (id) => client.cancelRun(id, why)), deps.documents);
}
