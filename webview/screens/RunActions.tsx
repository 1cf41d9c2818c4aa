import type { RunView } from "../../shared/control.ts";
import {
  highestLevelOf,
  leastRoleFor,
  leastRoleForLevel,
  roleAtLeast,
} from "../../shared/roles.ts";
import { type Order, reportOf, type whyNot } from "../actions.ts";
import { type Dashboard, useDashboard } from "../dashboard.ts";
import { Button } from "../ui/controls.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { t } from "../ui/text.ts";
import { useActor } from "./TaskActions.tsx";

type Actor = Parameters<typeof whyNot>[2];

/** Why a run cannot be started again, or cancelled, by the user; null: it can. Pure but for the language. */
function whyNotRun(what: "again" | "cancel", run: RunView, actor: Actor): string | null {
  const { role, user, isConnected } = actor;
  if (!isConnected) return t("There is no connection to the daemon.");
  if (role === null) return t("You are not signed in.");
  const needsRole = (needs: string): string =>
    t("Needs the role {needs}. You are {role}.", { needs, role });
  const needs = leastRoleFor("run_tasks");
  if (!roleAtLeast(role, needs)) return needsRole(needs);
  if (what === "again") {
    return run.priority > highestLevelOf(role) ? needsRole(leastRoleForLevel(run.priority)) : null;
  }
  const needsForOthers = leastRoleFor("cancel_tasks");
  return run.by === user || roleAtLeast(role, needsForOthers) ? null : needsRole(needsForOthers);
}

/** Again, with other values, cancel. */
export function RunActions(props: { run: RunView }) {
  const dashboard = useDashboard();
  const { run } = props;
  const actor = useActor();
  const whyNotAgain = whyNotRun("again", run, actor);
  const whyNotCancel = whyNotRun("cancel", run, actor);
  const refusals = [
    ...(whyNotAgain === null ? [] : [`${t("Run again")}: ${whyNotAgain}`]),
    ...(whyNotCancel === null || run.status !== "running"
      ? []
      : [`${t("Cancel run")}: ${whyNotCancel}`]),
  ];
  return (
    <div class="task-acts">
      <Toolbar label={t("Actions")}>
        {run.status === "running" && (
          <Button
            icon="debug-stop"
            disabled={whyNotCancel !== null}
            why={whyNotCancel ?? undefined}
            onClick={() => void cancel(dashboard, run)}
          >
            {t("Cancel run…")}
          </Button>
        )}
        <Button
          icon="debug-rerun"
          disabled={whyNotAgain !== null}
          why={whyNotAgain ?? undefined}
          onClick={() => void again(dashboard, run)}
        >
          {t("Run again…")}
        </Button>
        {dashboard.can("run-pipeline") && (
          <Button
            icon="edit"
            onClick={() =>
              void dashboard.host.act({ kind: "run-pipeline", pipeline: run.pipeline })
            }
          >
            {t("Run with other values…")}
          </Button>
        )}
      </Toolbar>
      {refusals.map((refusal) => (
        <p class="dim small" key={refusal}>
          {refusal}
        </p>
      ))}
    </div>
  );
}

async function again({ dialogs, host, router, queries }: Dashboard, run: RunView): Promise<void> {
  const phases = run.phases.map(({ phase }) => phase);
  const answer = await dialogs.ask({
    title: t("Run {pipeline} again?", { pipeline: run.pipeline }),
    body: (
      <p>
        {t("A new run with the same parameters and the phases")}{" "}
        <Foreign text={phases.join(", ")} limit={300} />.
      </p>
    ),
    confirm: t("Run again"),
    reason: "none",
  });
  if (answer === null) return;
  const { pipeline, params, priority } = run;
  const outcome = await host.request("run", { pipeline, phases, params, priority });
  if (!outcome.ok) return dialogs.tell("bad", outcome.error.message, outcome.error.hint);
  queries.refreshAll();
  router.navigate({ screen: "run", id: outcome.value.runId });
}

async function cancel({ dialogs, host, queries }: Dashboard, run: RunView): Promise<void> {
  const answer = await dialogs.ask({
    title: t("Cancel this run of {pipeline}?", { pipeline: run.pipeline }),
    body: <p>{t("The phase at work is told to stop, and no other begins. What is done stays.")}</p>,
    confirm: t("Cancel run"),
    reason: "optional",
    isGrave: true,
  });
  if (answer === null) return;
  const reason = answer.reason === "" ? {} : { reason: answer.reason };
  const outcome = await host.request("cancel_run", { id: run.id, ...reason });
  if (!outcome.ok) return dialogs.tell("bad", outcome.error.message, outcome.error.hint);
  const order: Order = { act: "cancel", tasks: { ids: [] }, count: outcome.value.matched };
  dialogs.tell(outcome.value.refusedCount > 0 ? "bad" : "ok", reportOf(order, outcome.value));
  queries.refreshAll();
}
