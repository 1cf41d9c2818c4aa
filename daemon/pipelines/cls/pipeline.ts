import { isAbsolute } from "node:path";
import { AppError } from "../../../shared/errors.ts";
import { EVENTS_ROOT } from "../../../shared/subjects.ts";
import type { PipelineDefinition } from "../pipelines.ts";
import { CLS_PHASES, clsParams } from "./params.ts";

/** CLS_ALL under its full name and the short one. */
export const clsPipelines: readonly PipelineDefinition[] = ["cls_all", "cls"].map((name) => ({
  name,
  phases: CLS_PHASES,
  taskOf: (phase) => `cls.${phase}`,
  // A slip of a name (`dryrun`) must not run as if it had not been written.
  params: clsParams.strict(),
  completedSubject: (phase) => `${EVENTS_ROOT}.cls.${phase}.completed`,
  fromSettings: ({ cls }) => ({
    python: cls.python,
    archive: cls.archive,
    ...(cls.checkout === undefined
      ? {}
      : { checkout: cls.checkout, checkoutPhases: cls.checkoutPhases }),
  }),
  check(params, phases) {
    for (const key of ["root", "out"]) {
      const path = params[key];
      // Relative to what? The daemon's folder is not the caller's.
      if (typeof path === "string" && !isAbsolute(path)) {
        throw new AppError("bad-usage", {
          what: `The parameter ${key} must be an absolute path, not ${path}.`,
        });
      }
    }
    if (phases.includes("export") && typeof params["out"] !== "string") {
      throw new AppError("bad-usage", {
        what: "The phase export needs a folder to write to: name it with --out.",
      });
    }
  },
}));
