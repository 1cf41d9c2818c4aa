import type { RefObject } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunView } from "../../shared/control.ts";
import { useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { onTask } from "../state/query.ts";
import { edgeLook, edgesOf, neighbourOf, phaseMs, shareOf } from "../state/runs.ts";
import { StatusBadge } from "../ui/Badge.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { formatDuration, formatShare } from "../ui/format.ts";
import { STATUS_LOOKS } from "../ui/looks.ts";
import { ProgressBar } from "../ui/ProgressBar.tsx";
import { t } from "../ui/text.ts";
import { theme } from "../ui/theme.ts";
import { useStyle } from "../ui/use-style.ts";
import { layoutGraph, type PlacedNode } from "./layout.ts";

type Phase = RunView["phases"][number];

const NODE = { nodeWidthPx: 136, nodeHeightPx: 64, rowGapPx: 16 } as const;

/**
 * The phases of a run as buttons in the order of the graph; the edges are a picture behind them. Arrow keys follow the
 * edges. With `follow` the selected phase is kept in sight.
 */
export function RunGraph(props: {
  run: RunView;
  selected: string | null;
  follow: boolean;
  onSelect: (phase: string) => void;
}) {
  const { run, selected, follow, onSelect } = props;
  const box = useRef<HTMLDivElement>(null);
  const widthPx = useOwnWidth(box);
  const edges = useMemo(() => edgesOf(run), [run]);
  const names = run.phases.map(({ phase }) => phase);
  const across = layoutGraph(names, edges, { ...NODE, columnGapPx: 48, direction: "right" });
  const direction = across.widthPx > widthPx ? "down" : "right";
  const layout =
    direction === "right"
      ? across
      : layoutGraph(names, edges, { ...NODE, columnGapPx: 28, direction });
  const phaseOf = (name: string): Phase => run.phases.find(({ phase }) => phase === name)!;
  useStyle(box, { height: `${layout.heightPx}px` });
  useEffect(() => {
    if (!follow || selected === null) return;
    const behavior = theme.peek().reduceMotion ? "instant" : "smooth";
    nodeIn(box, selected)?.scrollIntoView({ block: "nearest", behavior });
  }, [follow, selected]);
  const onKeyDown = (event: KeyboardEvent): void => {
    const from = (event.target as Element).closest<HTMLElement>("[data-phase]");
    const next = neighbourOf(from?.dataset["phase"] ?? "", event.key, edges, direction);
    if (next === null) return;
    event.preventDefault();
    nodeIn(box, next)?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the buttons inside.
    <div class="graph" ref={box} onKeyDown={onKeyDown}>
      <Edges layout={layout} phaseOf={phaseOf} />
      {layout.nodes.map((node) => (
        <Node
          key={node.id}
          node={node}
          phase={phaseOf(node.id)}
          isSelected={node.id === selected}
          onSelect={() => onSelect(node.id)}
        />
      ))}
    </div>
  );
}

function nodeIn(box: RefObject<HTMLElement | null>, phase: string): HTMLElement | null {
  return box.current?.querySelector<HTMLElement>(`[data-phase="${CSS.escape(phase)}"]`) ?? null;
}

/** The width of an element, in pixels; wide before it is known. */
function useOwnWidth(box: RefObject<HTMLElement | null>): number {
  const [widthPx, setWidthPx] = useState(Number.POSITIVE_INFINITY);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    // Without a layout (in tests) there is no width: it stays wide.
    const measure = (): void => {
      if (element.clientWidth > 0) setWidthPx(element.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return widthPx;
}

function Edges(props: {
  layout: ReturnType<typeof layoutGraph>;
  phaseOf: (name: string) => Phase;
}) {
  const { layout, phaseOf } = props;
  const id = useId();
  return (
    <svg
      class="graph-edges"
      width={layout.widthPx}
      height={layout.heightPx}
      viewBox={`0 0 ${layout.widthPx} ${layout.heightPx}`}
      aria-hidden="true"
    >
      {(["done", "waiting", "blocked"] as const).map((look) => (
        <marker
          key={look}
          id={`${id}-${look}`}
          class={`edge-head is-${look}`}
          viewBox="0 0 8 8"
          refX="8"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          orient="auto"
        >
          <path d={look === "blocked" ? "M1 1L7 7M7 1L1 7" : "M0 0L8 4L0 8z"} />
        </marker>
      ))}
      {layout.edges.map(({ from, to, path }) => {
        const look = edgeLook(phaseOf(from));
        return (
          <path
            key={`${from} ${to}`}
            class={`edge is-${look}`}
            d={path}
            marker-end={`url(#${id}-${look})`}
          />
        );
      })}
    </svg>
  );
}

function Node(props: {
  node: PlacedNode;
  phase: Phase;
  isSelected: boolean;
  onSelect: () => void;
}) {
  const { node, phase, isSelected, onSelect } = props;
  const button = useRef<HTMLButtonElement>(null);
  useStyle(button, {
    left: `${node.xPx}px`,
    top: `${node.yPx}px`,
    width: `${NODE.nodeWidthPx}px`,
    height: `${NODE.nodeHeightPx}px`,
  });
  return (
    <button
      ref={button}
      type="button"
      class={`node is-${phase.status}`}
      data-phase={phase.phase}
      aria-pressed={isSelected}
      onClick={onSelect}
    >
      <span class="node-name">
        <StatusBadge status={phase.status} iconOnly />
        <span class="strong cut">
          <Foreign text={phase.phase} limit={60} />
        </span>
      </span>
      {phase.status === "running" && phase.taskId !== null ? (
        <NodeProgress phase={phase} taskId={phase.taskId} />
      ) : (
        <span class="dim cut">{timeWords(phase)}</span>
      )}
    </button>
  );
}

/** How long it took, or its state in words when there is no time to tell. */
function timeWords(phase: Phase): string {
  const ms = phase.endedAt === null ? null : phaseMs(phase, 0);
  return ms === null || phase.status !== "completed"
    ? t(STATUS_LOOKS[phase.status].word)
    : formatDuration(ms);
}

/** What the running phase reports; without a report only its time. */
function NodeProgress(props: { phase: Phase; taskId: string }) {
  const { phase, taskId } = props;
  const { state } = useQuery("get", { id: taskId }, { refreshOn: onTask(taskId) });
  const share = shareOf("data" in state ? state.data.progress : null);
  const ms = phaseMs(phase, now.value);
  const time = ms === null ? "" : formatDuration(ms);
  if (share === null) return <span class="dim cut">{time}</span>;
  return (
    <>
      <ProgressBar share={share} label={t("Progress of {phase}", { phase: phase.phase })} />
      <span class="dim cut">
        {formatShare(share)} · {time}
      </span>
    </>
  );
}

/** What the lines mean. */
export function GraphLegend() {
  return (
    <ul class="legend" aria-label={t("What the lines mean")}>
      {(
        [
          ["done", t("done")],
          ["waiting", t("still to come")],
          ["blocked", t("will not happen")],
        ] as const
      ).map(([look, word]) => (
        <li key={look}>
          <svg width="28" height="10" viewBox="0 0 28 10" aria-hidden="true">
            <path class={`edge is-${look}`} d={look === "blocked" ? "M0 5H18" : "M0 5H28"} />
            {look === "blocked" && <path class="edge-cross" d="M20 1L28 9M28 1L20 9" />}
          </svg>
          {word}
        </li>
      ))}
    </ul>
  );
}
