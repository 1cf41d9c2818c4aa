import { useRef } from "preact/hooks";
import type { RunView } from "../../shared/control.ts";
import { MINUTE } from "../../shared/time.ts";
import { now } from "../state/clock.ts";
import { atOf, ganttInputs, type Usual } from "../state/runs.ts";
import { StatusBadge } from "../ui/Badge.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { formatClock, formatDuration } from "../ui/format.ts";
import { plural, t } from "../ui/text.ts";
import { useStyle } from "../ui/use-style.ts";
import { type Bar, type Gantt, ganttOf, type Span } from "./gantt.ts";

/** The phases of a run over time: waits, work, and what is still to be expected after the last runs. */
export function RunGantt(props: {
  run: RunView;
  usual: ReadonlyMap<string, Usual>;
  selected: string | null;
  onSelect: (phase: string) => void;
}) {
  const { run, usual, selected, onSelect } = props;
  const endedAt = atOf(run.endedAt);
  const createdAt = Date.parse(run.createdAt);
  const present = endedAt ?? now.value;
  const offsetMs = -new Date(createdAt).getTimezoneOffset() * 60_000;
  const chart = ganttOf(ganttInputs(run, usual), { createdAt, endedAt }, present, offsetMs);
  return (
    <div class="gantt">
      <Axis chart={chart} />
      <ol>
        {chart.bars.map((bar, index) => {
          const { status, phase } = run.phases[index]!;
          return (
            <li key={phase}>
              <button
                type="button"
                class="plain gantt-row"
                aria-pressed={phase === selected}
                onClick={() => onSelect(phase)}
              >
                <span class="gantt-name">
                  <StatusBadge status={status} iconOnly />
                  <span class="cut">
                    <Foreign text={phase} limit={60} />
                  </span>
                </span>
                <Track bar={bar} status={status} now={chart.now} ticks={chart.ticks} />
                <span class="gantt-time">
                  {bar.run !== null && formatDuration(bar.run.lengthMs)}
                </span>
                <Note words={noteOf(bar, usual.get(phase), status)} />
              </button>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

/** What is known of it beside its time: what is usual, or what is still to come. Empty: nothing. */
function noteOf(bar: Bar, usual: Usual | undefined, status: string): string {
  if (usual === undefined) return "";
  const time = formatDuration(usual.medianMs);
  if (bar.run === null) return t("usually {time}", { time });
  if (status !== "running") return "";
  return bar.rest === null
    ? t("longer than usual ({time})", { time })
    : t("about {rest} more ({runs})", {
        rest: formatDuration(bar.rest.lengthMs),
        runs: plural(usual.runs, "median of the last run", "median of the last {n} runs"),
      });
}

function Axis(props: { chart: Gantt }) {
  const { ticks } = props.chart;
  const areMinutes = ticks.every(({ at }) => at % MINUTE === 0);
  return (
    <div class="gantt-axis dim tiny" aria-hidden="true">
      <span class="gantt-name" />
      <span class="gantt-track">
        {ticks.map(({ at, place }) => (
          <Tick
            key={at}
            place={place}
            label={areMinutes ? formatClock(at).slice(0, 5) : formatClock(at)}
          />
        ))}
      </span>
      <span class="gantt-time" />
    </div>
  );
}

function Note(props: { words: string }) {
  return props.words === "" ? null : <span class="gantt-note dim">{props.words}</span>;
}

function Tick(props: { place: number; label: string }) {
  const mark = useRef<HTMLSpanElement>(null);
  useStyle(mark, { left: `${(props.place * 100).toFixed(2)}%` });
  // At the very edge there is no room for the half of it.
  return (
    <span ref={mark} class={`gantt-tick ${props.place > 0.97 ? "is-last" : ""}`}>
      {props.label}
    </span>
  );
}

function Track(props: { bar: Bar; status: string; now: number | null; ticks: Gantt["ticks"] }) {
  const { bar, status, ticks } = props;
  return (
    <span class="gantt-track" aria-hidden="true">
      {ticks.map(({ at, place }) => (
        <Piece key={at} span={{ from: place, to: place, lengthMs: 0 }} look="grid" />
      ))}
      {bar.wait !== null && <Piece span={bar.wait} look="wait" title={t("waited")} />}
      {bar.run !== null && <Piece span={bar.run} look={`run is-${status}`} title={t("ran")} />}
      {bar.rest !== null && <Piece span={bar.rest} look="rest" title={t("expected")} />}
      {props.now !== null && (
        <Piece span={{ from: props.now, to: props.now, lengthMs: 0 }} look="now" />
      )}
    </span>
  );
}

function Piece(props: { span: Span; look: string; title?: string }) {
  const { span, look, title } = props;
  const piece = useRef<HTMLSpanElement>(null);
  useStyle(piece, {
    left: `${(span.from * 100).toFixed(3)}%`,
    width: `${((span.to - span.from) * 100).toFixed(3)}%`,
  });
  const words = title === undefined ? undefined : `${title} ${formatDuration(span.lengthMs)}`;
  return <span ref={piece} class={`gantt-piece gantt-${look}`} title={words} />;
}
