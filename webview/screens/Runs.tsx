import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunView } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { compileFilter, parseFilter } from "../state/filter.ts";
import { isText } from "../state/prefs.ts";
import { onRuns } from "../state/query.ts";
import { doneOf } from "../state/runs.ts";
import { StatusBadge } from "../ui/Badge.tsx";
import { Button, Select } from "../ui/controls.tsx";
import { type Column, DataTable } from "../ui/DataTable.tsx";
import { Duration, RelativeTime } from "../ui/Duration.tsx";
import { FilterBox, type FilterKey } from "../ui/FilterBox.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { plainForeign } from "../ui/foreign-text.ts";
import { exactCount, shortId } from "../ui/format.ts";
import { STATUS_LOOKS } from "../ui/looks.ts";
import { Panel } from "../ui/Panel.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { t } from "../ui/text.ts";
import "../styles/work.css";
import { levelWords } from "./TaskTimeline.tsx";

/** So many of the newest are asked for. */
const LIMIT = 200;
const KEYS = ["pipeline", "status", "by", "run"] as const;
const STATUSES: readonly RunView["status"][] = ["running", "completed", "failed", "cancelled"];

function fieldOf(run: RunView, name: string): string {
  const values: Readonly<Record<(typeof KEYS)[number], string>> = {
    pipeline: run.pipeline,
    status: run.status,
    by: run.by,
    run: run.id,
  };
  return values[name as (typeof KEYS)[number]] ?? "";
}

/** The runs that a filter lets through. */
function useMatching(runs: readonly RunView[], filter: string): readonly RunView[] {
  return useMemo(() => {
    const matches = compileFilter(parseFilter(filter, KEYS));
    return runs.filter((run) =>
      matches({
        values: (name) => [fieldOf(run, name)],
        text: () => KEYS.map((name) => fieldOf(run, name)).join(" "),
      }),
    );
  }, [runs, filter]);
}

/** The runs of all pipelines, the newest first. */
export function Runs(props: { address: Address }) {
  const filter = useKept("runs.filter", "", isText);
  useEffect(() => {
    if (props.address.filter !== undefined) filter.value = props.address.filter;
  }, [props.address.filter]);
  const { state, refetch } = useQuery("runs", { limit: LIMIT }, { refreshOn: onRuns });
  const all = "data" in state ? state.data.runs : NONE;
  const shown = useMatching(all, filter.value);
  const keys = useMemo<FilterKey[]>(
    () => [
      { key: "pipeline", meaning: t("name of the pipeline"), values: () => seen(all, "pipeline") },
      { key: "status", meaning: t("how it stands"), values: () => STATUSES },
      { key: "by", meaning: t("who started it"), values: () => seen(all, "by") },
      { key: "run", meaning: t("its id"), values: () => [] },
    ],
    [all],
  );
  return (
    <div class="runs">
      <h1 class="unseen">{t("Pipelines")}</h1>
      <Toolbar label={t("Filter and start")}>
        <FilterBox
          label={t("Filter runs")}
          value={filter.value}
          onChange={(text) => {
            filter.value = text;
          }}
          keys={keys}
          placeholder={t("Filter, e.g. pipeline:cls_all status:failed")}
        />
        <Starter />
      </Toolbar>
      <Panel
        title={t("Runs")}
        state={state}
        onRetry={refetch}
        rows={6}
        tools={<Count shown={shown.length} all={all.length} />}
        empty={() =>
          shown.length > 0
            ? null
            : all.length > 0
              ? { why: t("No run matches the filter.") }
              : {
                  why: t("No pipeline ran yet."),
                  next: t("Run one from the command palette, or with `msgsys run`."),
                }
        }
      >
        {() => <RunTable runs={shown} />}
      </Panel>
    </div>
  );
}

const NONE: readonly RunView[] = [];

function seen(runs: readonly RunView[], name: string): readonly string[] {
  return [...new Set(runs.map((run) => fieldOf(run, name)))];
}

function Count(props: { shown: number; all: number }) {
  const { shown, all } = props;
  if (all === 0) return null;
  const words =
    shown === all
      ? all < LIMIT
        ? exactCount(all)
        : t("the newest {n}", { n: exactCount(all) })
      : t("{n} of {all}", { n: exactCount(shown), all: exactCount(all) });
  return <span class="dim">{words}</span>;
}

/** Starts a pipeline, where the host asks for its parameters. */
function Starter() {
  const { can, host } = useDashboard();
  const { state } = useQuery("definitions", {});
  const names = "data" in state ? state.data.pipelines.map(({ name }) => name) : [];
  const [chosen, setChosen] = useState("");
  if (!can("run-pipeline") || names.length === 0) return null;
  const pipeline = names.includes(chosen) ? chosen : names[0]!;
  return (
    <>
      <Select
        label={t("Pipeline")}
        hideLabel
        value={pipeline}
        options={names.map((name) => ({ value: name, label: plainForeign(name, 60) }))}
        onChange={setChosen}
      />
      <Button
        kind="primary"
        icon="play"
        onClick={() => void host.act({ kind: "run-pipeline", pipeline })}
      >
        {t("Run…")}
      </Button>
    </>
  );
}

function RunTable(props: { runs: readonly RunView[] }) {
  const { router } = useDashboard();
  const open = router.detail.value;
  return (
    <div class="two-line run-table">
      <DataTable
        label={t("Runs")}
        columns={columns()}
        rows={props.runs}
        keyOf={({ id }) => id}
        openKey={open?.screen === "run" ? (open.id ?? null) : null}
        onOpen={({ id }) => router.navigate({ screen: "run", id })}
      />
    </div>
  );
}

function columns(): Column<RunView>[] {
  return [
    {
      id: "status",
      title: t("State"),
      cell: ({ status }) => <StatusBadge status={status} />,
      sortBy: ({ status }) => status,
      look: "cell-acts",
    },
    {
      id: "run",
      title: t("Run"),
      cell: ({ id, pipeline }) => (
        <>
          <Foreign text={pipeline} limit={60} />{" "}
          <span class="mono dim small" title={id}>
            {shortId(id)}
          </span>
        </>
      ),
      sortBy: ({ pipeline }) => pipeline,
      look: "nowrap cell-name",
    },
    {
      id: "phases",
      title: t("Phases"),
      cell: (run) => <PhaseStrip run={run} />,
      sortBy: doneOf,
      look: "grow cell-state",
    },
    {
      id: "level",
      title: t("Level"),
      cell: ({ priority }) => levelWords(priority),
      sortBy: ({ priority }) => priority,
      look: "nowrap wide",
    },
    {
      id: "by",
      title: t("By"),
      cell: ({ by }) => <Foreign text={by} limit={40} />,
      sortBy: ({ by }) => by,
      look: "nowrap wide",
    },
    {
      id: "time",
      title: t("Time"),
      cell: ({ createdAt, endedAt }) => (
        <Duration
          ms={Math.max(
            0,
            (endedAt === null ? now.value : Date.parse(endedAt)) - Date.parse(createdAt),
          )}
        />
      ),
      look: "num nowrap cell-level",
    },
    {
      id: "started",
      title: t("Started"),
      cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
      sortBy: ({ createdAt }) => createdAt,
      look: "num nowrap cell-time",
    },
  ];
}

/** Each phase as its state's shape, and which is at work. */
function PhaseStrip(props: { run: RunView }) {
  return (
    <span class="phase-strip">
      {props.run.phases.map(({ phase, status }) => (
        <span key={phase} title={`${plainForeign(phase, 60)}: ${t(STATUS_LOOKS[status].word)}`}>
          <StatusBadge
            status={status}
            iconOnly
            word={`${plainForeign(phase, 60)}: ${t(STATUS_LOOKS[status].word)}`}
          />
        </span>
      ))}
      <span class="dim cut">
        {t("{n} of {all}", { n: doneOf(props.run), all: props.run.phases.length })}
      </span>
    </span>
  );
}
