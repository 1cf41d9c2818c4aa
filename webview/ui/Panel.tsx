import type { ComponentChildren } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import type { WireError } from "../../shared/errors.ts";
import type { QueryState } from "../state/query.ts";
import { Button } from "./controls.tsx";
import { Foreign } from "./Foreign.tsx";
import { formatClock, formatInstant } from "./format.ts";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./icon-names.ts";
import { t } from "./text.ts";

/** Shorter than this nobody sees a skeleton flash. */
const SKELETON_AFTER_MS = 300;

export interface EmptyWord {
  /** Why there is nothing. */
  readonly why: string;
  /** The next step. */
  readonly next?: ComponentChildren;
}

export interface PanelProps<T> {
  readonly title: string;
  readonly state: QueryState<T>;
  readonly onRetry: () => void;
  /** Not null: there is nothing to show, and why. */
  readonly empty?: (data: T) => EmptyWord | null;
  /** Beside the title. */
  readonly tools?: ComponentChildren;
  /** Rows of the skeleton. */
  readonly rows?: number;
  readonly hideTitle?: boolean;
  readonly class?: string;
  /** `isFresh` false: acts on what is shown are to be disabled. */
  readonly children: (data: T, isFresh: boolean) => ComponentChildren;
}

/** A part of a screen with data of its own: it loads, fails, ages and is forbidden by itself, the rest stays. */
export function Panel<T>(props: PanelProps<T>) {
  const { title, state, tools } = props;
  const id = useId();
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={id} data-state={state.kind}>
      <header class={props.hideTitle === true ? "unseen" : "panel-head"}>
        <h2 id={id}>{title}</h2>
        {state.kind === "stale" && <AsOf state={state} />}
        <span class="spacer" />
        {tools}
      </header>
      <div class="panel-body">
        <PanelBody {...props} />
      </div>
    </section>
  );
}

function PanelBody<T>(props: PanelProps<T>) {
  const { state } = props;
  switch (state.kind) {
    case "loading":
      return <Skeleton rows={props.rows ?? 3} />;
    case "error":
      return <ErrorNote error={state.error} onRetry={props.onRetry} />;
    case "not-allowed":
      return <NotAllowed error={state.error} />;
    case "ready":
    case "stale": {
      const isOffline = state.kind === "stale" && state.why === "offline";
      const empty = props.empty?.(state.data) ?? null;
      return (
        <>
          {state.kind === "stale" && state.error !== null && (
            <ErrorNote error={state.error} onRetry={props.onRetry} small />
          )}
          <div class={isOffline ? "is-old" : ""}>
            {empty === null ? props.children(state.data, !isOffline) : <Empty {...empty} />}
          </div>
        </>
      );
    }
    default:
      return state satisfies never;
  }
}

/** Says that data are not of now, and of when they are. */
function AsOf(props: { state: Extract<QueryState<unknown>, { kind: "stale" }> }) {
  const { asOf, why } = props.state;
  return (
    <span class="as-of" title={formatInstant(asOf)}>
      <Icon name={why === "paused" ? "debug-pause" : "history"} />
      {t("as of {time}", { time: formatClock(asOf) })}
    </span>
  );
}

/** The shape of what is coming, once it takes a while. */
export function Skeleton(props: { rows: number }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="skeleton" role="status" aria-label={t("Loading")} data-late={isLate}>
      {isLate &&
        Array.from({ length: props.rows }, (_, index) => <div class="skeleton-row" key={index} />)}
    </div>
  );
}

export function Empty(props: EmptyWord & { icon?: IconName }) {
  return (
    <div class="empty">
      <Icon name={props.icon ?? "info"} />
      <div>
        <p>{props.why}</p>
        {props.next !== undefined && <div class="dim">{props.next}</div>}
      </div>
    </div>
  );
}

/** What went wrong, what to do, and again. */
export function ErrorNote(props: { error: WireError; onRetry: () => void; small?: boolean }) {
  const { error, onRetry, small = false } = props;
  return (
    <div class={`note note-bad ${small ? "note-small" : ""}`} role="alert">
      <Icon name="error" tone="bad" />
      <div class="note-text">
        <p>
          <Foreign text={error.message} limit={600} />
        </p>
        {error.hint !== "" && (
          <p class="dim">
            <Foreign text={error.hint} limit={600} />
          </p>
        )}
      </div>
      <Button onClick={onRetry} icon="refresh">
        {t("Retry")}
      </Button>
    </div>
  );
}

/** Which role it needs; nothing is broken. */
function NotAllowed(props: { error: WireError }) {
  return (
    <div class="note note-info">
      <Icon name="lock" />
      <div class="note-text">
        <p>
          <Foreign text={props.error.message} limit={600} />
        </p>
        <p class="dim">
          <Foreign text={props.error.hint} limit={600} />
        </p>
      </div>
    </div>
  );
}
