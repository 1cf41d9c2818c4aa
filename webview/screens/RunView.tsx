import { useMemo, useState } from "preact/hooks";
import type { RunView as Run } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { RunGantt } from "../graph/RunGantt.tsx";
import { GraphLegend, RunGraph } from "../graph/RunGraph.tsx";
import { now } from "../state/clock.ts";
import { onRun, onRuns } from "../state/query.ts";
import { currentPhase, phaseMs, type Usual, usualOf } from "../state/runs.ts";
import { LevelBadge, StatusBadge } from "../ui/Badge.tsx";
import { IconButton, Tabs } from "../ui/controls.tsx";
import { type Column, DataTable } from "../ui/DataTable.tsx";
import { Duration, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { formatDuration, shortId } from "../ui/format.ts";
import { JsonView } from "../ui/JsonView.tsx";
import { Panel } from "../ui/Panel.tsx";
import { plural, t } from "../ui/text.ts";
import "../styles/work.css";
import { PhaseDetail } from "./PhaseDetail.tsx";
import { RunActions } from "./RunActions.tsx";

const VIEWS = ["graph", "gantt", "table"] as const;
type View = (typeof VIEWS)[number];
const isView = (value: unknown): value is View => VIEWS.some((view) => view === value);
/** Runs that the usual durations are taken from. */
const COMPARED = 50;

/** One run of a pipeline: its phases as a graph, over time, and as a table; the one at work is followed. */
export function RunView(props: { address: Address }) {
  const id = props.address.id ?? "";
  const { state, refetch } = useQuery("run_get", { id }, { refreshOn: onRun(id) });
  return (
    <div class="detail">
      <h1 class="unseen">{t("Run {id}", { id: shortId(id) })}</h1>
      <Panel title={t("Run")} hideTitle state={state} onRetry={refetch} rows={8}>
        {(run) => <Known run={run} />}
      </Panel>
    </div>
  );
}

function Known(props: { run: Run }) {
  const { run } = props;
  const view = useKept<View>("run.view", "graph", isView);
  const others = useQuery("runs", { limit: COMPARED }, { refreshOn: onRuns }).state;
  const past = "data" in others ? others.data.runs : NONE;
  const usual = useMemo(() => usualOf(run, past), [run, past]);
  // Null: the phase at work is followed.
  const [chosen, setChosen] = useState<string | null>(null);
  const selected = chosen ?? currentPhase(run);
  const phase = run.phases.find((one) => one.phase === selected);
  return (
    <div class="detail-parts">
      <Title run={run} />
      <RunActions run={run} />
      <div class="run-views">
        <Tabs
          label={t("Views of the run")}
          tabs={[
            { id: "graph", label: t("Graph") },
            { id: "gantt", label: t("Gantt") },
            { id: "table", label: t("Table") },
          ]}
          selected={view.value}
          onSelect={(next) => {
            view.value = next;
          }}
        >
          {view.value === "graph" && (
            <>
              <RunGraph
                run={run}
                selected={selected}
                follow={chosen === null}
                onSelect={setChosen}
              />
              <GraphLegend />
            </>
          )}
          {view.value === "gantt" && (
            <RunGantt run={run} usual={usual} selected={selected} onSelect={setChosen} />
          )}
          {view.value === "table" && (
            <PhaseTable run={run} usual={usual} selected={selected} onSelect={setChosen} />
          )}
        </Tabs>
        {run.status === "running" && (
          <button
            type="button"
            class="toggle follow"
            aria-pressed={chosen === null}
            title={t("Keep the phase at work selected and in sight")}
            onClick={() => setChosen(chosen === null ? selected : null)}
          >
            {chosen === null ? t("Following") : t("Follow")}
          </button>
        )}
      </div>
      {phase !== undefined && <PhaseDetail key={phase.phase} phase={phase} />}
      <Params run={run} />
    </div>
  );
}

const NONE: readonly Run[] = [];

function Title(props: { run: Run }) {
  const { copy } = useDashboard();
  const { run } = props;
  const createdAt = Date.parse(run.createdAt);
  const endedAt = run.endedAt === null ? now.value : Date.parse(run.endedAt);
  const time = formatDuration(Math.max(0, endedAt - createdAt));
  return (
    <div>
      <div class="title-line">
        <h2 class="title wrap">
          <Foreign text={run.pipeline} limit={120} />
        </h2>
        <span class="mono dim nowrap" title={run.id}>
          {shortId(run.id)}
        </span>
        <IconButton icon="copy" label={t("Copy the id")} onClick={() => void copy(run.id)} />
        <StatusBadge status={run.status} />
        <span>{time}</span>
        <LevelBadge level={run.priority} />
      </div>
      <p class="dim">
        {t("started")} <RelativeTime at={run.createdAt} /> {t("by")} <Foreign text={run.by} />
        {run.warnings > 0 && <> · {plural(run.warnings, "1 warning", "{n} warnings")}</>}
      </p>
    </div>
  );
}

type Phase = Run["phases"][number];

function PhaseTable(props: {
  run: Run;
  usual: ReadonlyMap<string, Usual>;
  selected: string | null;
  onSelect: (phase: string) => void;
}) {
  const { run, usual, selected, onSelect } = props;
  const columns: Column<Phase>[] = [
    {
      id: "phase",
      title: t("Phase"),
      cell: ({ phase }) => <Foreign text={phase} limit={60} />,
      look: "grow",
    },
    { id: "status", title: t("State"), cell: ({ status }) => <StatusBadge status={status} /> },
    {
      id: "started",
      title: t("Started"),
      cell: ({ startedAt }) => <RelativeTime at={startedAt} />,
      look: "nowrap wide",
    },
    {
      id: "time",
      title: t("Time"),
      cell: (phase) => (
        <Duration ms={phaseMs(phase, phase.status === "running" ? now.value : 0) || null} />
      ),
      look: "num nowrap",
    },
    {
      id: "usual",
      title: t("Usually"),
      cell: ({ phase }) => <Duration ms={usual.get(phase)?.medianMs ?? null} />,
      look: "num nowrap",
    },
  ];
  return (
    <DataTable
      label={t("Phases")}
      columns={columns}
      rows={run.phases}
      keyOf={({ phase }) => phase}
      openKey={selected}
      onOpen={({ phase }) => onSelect(phase)}
    />
  );
}

function Params(props: { run: Run }) {
  const { copy } = useDashboard();
  const text = useMemo(() => JSON.stringify(props.run.params), [props.run.params]);
  return (
    <div class="panel">
      <div class="panel-head">
        <h2>{t("Parameters")}</h2>
      </div>
      <JsonView text={text} label={t("Parameters")} onCopy={(shown) => void copy(shown)} />
    </div>
  );
}
