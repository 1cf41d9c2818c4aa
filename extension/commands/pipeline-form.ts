import type { ResponseOf } from "../../shared/control.ts";
import { type Form, toForm } from "./form.ts";

export type Pipeline = ResponseOf["definitions"]["pipelines"][number];

/** The phases that come before a phase, and itself: those whose results are there and fresh do nothing. */
export function phasesUpTo(pipeline: Pipeline, phase: string | null): readonly string[] {
  const at = phase === null ? -1 : pipeline.phases.indexOf(phase);
  return at < 0 ? pipeline.phases : pipeline.phases.slice(0, at + 1);
}

/** What a run of these phases asks for. The folder of an export is asked for exactly when something is exported. */
export function pipelineForm(pipeline: Pipeline, phases: readonly string[]): Form {
  const form = toForm(pipeline.paramsSchema);
  const exports = phases.includes("export");
  const isForExport = (key: string): boolean => key === "out" && pipeline.phases.includes("export");
  const fields = form.fields
    .filter(({ key }) => exports || !isForExport(key))
    .map((field) => (isForExport(field.key) ? { ...field, isRequired: true } : field));
  return {
    ...form,
    fields: [
      ...fields.filter(({ isRequired }) => isRequired),
      // What a person changes from run to run stands before what is set up once.
      ...fields.filter(({ isRequired, key }) => !isRequired && key === "dryRun"),
      ...fields.filter(({ isRequired, key }) => !isRequired && key !== "dryRun"),
    ],
  };
}
