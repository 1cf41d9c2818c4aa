import { useEffect, useMemo } from "preact/hooks";
import type { Address, FeedRow } from "../../shared/view/messages.ts";
import { useDashboard, useKept } from "../dashboard.ts";
import {
  FEED_KEYS,
  type FeedState,
  filterableOf,
  sampledOneIn,
  valuesSeen,
} from "../state/feed.ts";
import { compileFilter, parseFilter } from "../state/filter.ts";
import { isText } from "../state/prefs.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button, IconButton } from "../ui/controls.tsx";
import { FilterBox, type FilterKey } from "../ui/FilterBox.tsx";
import { exactCount, formatDuration } from "../ui/format.ts";
import { Empty } from "../ui/Panel.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { key, plural, t } from "../ui/text.ts";
import { theme } from "../ui/theme.ts";
import { NARROW_PX, useWidth } from "../ui/use-width.ts";
import { VirtualList } from "../ui/VirtualList.tsx";
import { FeedAnnouncer, FeedDetail, feedCells } from "./FeedRow.tsx";

const KEY_MEANINGS: Readonly<Record<(typeof FEED_KEYS)[number], string>> = {
  type: key("kind of event; task also means task.failed"),
  name: key("name of the task, worker or file"),
  queue: key("queue"),
  task: key("id of a task"),
  run: key("id of a run"),
  by: key("who did it"),
  level: key("info, warning or error; warning includes errors"),
  trace: key("trace id"),
  status: key("state of the task afterwards"),
};

/** What happens now, as it happens. `isAlone`: in the side bar, without the frame around it. */
export function LiveFeed(props: { address: Address; isAlone?: boolean }) {
  const { feed } = useDashboard();
  const state = feed.state.value;
  const isNarrow = useWidth() < NARROW_PX;
  const filter = useKept("feed.filter", "", isText);
  useEffect(() => {
    if (props.address.filter !== undefined) filter.value = props.address.filter;
  }, [props.address.filter]);
  const shown = useShown(state, filter.value);
  const selected = shown.find(({ seq }) => seq === state.selected) ?? null;
  useEffect(() => {
    // A screen reader loses its place in a list that runs away.
    if (theme.peek().screenReader) feed.act({ kind: "follow", on: false });
  }, []);
  useSpaceKey(() => feed.act({ kind: "pause", on: feed.state.peek().frozen === null }));
  return (
    <div class={`feed ${props.isAlone === true ? "feed-alone" : ""}`}>
      <h1 class="unseen">{t("Live feed")}</h1>
      <FeedTools
        state={state}
        kept={shown.length}
        filter={filter.value}
        onFilter={(text) => {
          filter.value = text;
        }}
      />
      <FeedAnnouncer rows={state.rows} />
      <div class="feed-list" role="log" aria-live="off" aria-label={t("Events")}>
        {shown.length === 0 ? (
          <NoRows state={state} hasFilter={filter.value !== ""} />
        ) : (
          <VirtualList
            label={t("Events, oldest first")}
            rows={shown}
            keyOf={keyOf}
            rowPx={isNarrow ? TWO_LINES_PX : LINE_PX}
            cells={feedCells}
            rowClass={(row) => `feed-row is-${row.severity}`}
            activeKey={state.selected}
            onActive={(row) => feed.act({ kind: "select", seq: row.seq })}
            follow={state.isFollowing && state.frozen === null}
            onFollow={(on) => feed.act({ kind: "follow", on })}
          />
        )}
      </div>
      {state.newWhilePaused > 0 && (
        <div class="feed-new">
          {plural(state.newWhilePaused, "1 new event while paused", "{n} new events while paused", {
            n: exactCount(state.newWhilePaused),
          })}{" "}
          <button
            type="button"
            class="plain link"
            onClick={() => feed.act({ kind: "pause", on: false })}
          >
            {t("Show")}
          </button>
        </div>
      )}
      {selected !== null && <FeedDetail row={selected} />}
    </div>
  );
}

const LINE_PX = 22;
const TWO_LINES_PX = 44;
const keyOf = (row: FeedRow): number => row.seq;

/** The rows that the filter lets through. Compiled once a filter; run once a batch. */
function useShown(state: FeedState, filter: string): readonly FeedRow[] {
  const rows = state.frozen ?? state.rows;
  const matches = useMemo(() => {
    const terms = parseFilter(filter, FEED_KEYS);
    return terms.length === 0 ? null : compileFilter(terms);
  }, [filter]);
  return useMemo(
    () => (matches === null ? rows : rows.filter((row) => matches(filterableOf(row)))),
    [rows, matches],
  );
}

function FeedTools(props: {
  state: FeedState;
  kept: number;
  filter: string;
  onFilter: (filter: string) => void;
}) {
  const { feed } = useDashboard();
  const { state, kept, filter, onFilter } = props;
  const isPaused = state.frozen !== null;
  const keys = useMemo<FilterKey[]>(
    () =>
      FEED_KEYS.map((name) => ({
        key: name,
        meaning: t(KEY_MEANINGS[name]),
        values: () => valuesSeen(feed.state.peek().rows, name),
      })),
    [],
  );
  return (
    <Toolbar label={t("Live feed")}>
      <Button
        icon={isPaused ? "play" : "debug-pause"}
        kind={isPaused ? "primary" : "secondary"}
        onClick={() => feed.act({ kind: "pause", on: !isPaused })}
      >
        {!isPaused
          ? t("Pause")
          : state.newWhilePaused === 0
            ? t("Resume")
            : t("Resume, {n} new", { n: exactCount(state.newWhilePaused) })}
      </Button>
      <button
        type="button"
        class="toggle"
        aria-pressed={state.isFollowing}
        title={t("Keep the newest event in sight (End)")}
        onClick={() => feed.act({ kind: "follow", on: !state.isFollowing })}
      >
        {state.isFollowing ? t("Following") : t("Follow")}
      </button>
      <FilterBox
        label={t("Filter events")}
        value={filter}
        onChange={onFilter}
        keys={keys}
        placeholder={t("Filter, e.g. level:warning -queue:cls")}
      />
      <span class="spacer" />
      <Sampling state={state} />
      <span class="dim nowrap">
        {filter === ""
          ? plural(kept, "1 event kept", "{n} events kept", { n: exactCount(kept) })
          : t("{n} of {all} kept", {
              n: exactCount(kept),
              all: exactCount((state.frozen ?? state.rows).length),
            })}
      </span>
      <IconButton
        icon="trash"
        label={t("Clear the list")}
        onClick={() => feed.act({ kind: "clear" })}
      />
    </Toolbar>
  );
}

/** Says that not everything is shown, and how much of it. */
function Sampling(props: { state: FeedState }) {
  const { sampling } = props.state;
  if (sampling === null) return null;
  return (
    <span
      class="nowrap"
      title={t("Warnings, errors and ends of tasks are all shown; of the rest a part.")}
    >
      <Badge
        look={{ word: "", icon: "filter", tone: "wait" }}
        word={t("sampled 1 in {n} for {time}", {
          n: sampledOneIn(sampling),
          time: formatDuration(Math.max(1000, sampling.until - sampling.since)),
        })}
      />
    </span>
  );
}

function NoRows(props: { state: FeedState; hasFilter: boolean }) {
  const { state, hasFilter } = props;
  const { live, connection } = useDashboard();
  if (!live.isOn.value) {
    return (
      <Empty
        icon="debug-pause"
        why={t("Live data are switched off.")}
        next={t("Switch them on above.")}
      />
    );
  }
  if (connection.phase.value !== "connected") {
    return (
      <Empty
        icon="plug"
        why={t("There is no connection to the daemon.")}
        next={t("Events show up as soon as there is one.")}
      />
    );
  }
  if (hasFilter && state.rows.length > 0) {
    return (
      <Empty
        icon="filter"
        why={t("No event matches the filter.")}
        next={t("New ones that match show up here.")}
      />
    );
  }
  return (
    <Empty
      icon="pulse"
      why={t("Nothing happened since this view was opened.")}
      next={t("Each task that is enqueued, runs or ends shows up here.")}
    />
  );
}

/** Space outside of anything that takes it itself. */
function useSpaceKey(press: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      const target = event.target;
      if (event.key !== " " || event.defaultPrevented || !(target instanceof Element)) return;
      if (target.closest("button, input, a, [role=switch], vscode-button, dialog") !== null) return;
      event.preventDefault();
      press();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
}
