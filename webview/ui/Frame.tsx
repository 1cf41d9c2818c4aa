// biome-ignore-all lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { ConnectionState } from "../../shared/connection.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard } from "../dashboard.ts";
import { RAIL, SCREEN_VIEWS } from "../screens.tsx";
import { now } from "../state/clock.ts";
import { Badge, CountPill } from "./Badge.tsx";
import { Confirm } from "./Confirm.tsx";
import { IconButton } from "./controls.tsx";
import { ErrorBoundary } from "./ErrorBoundary.tsx";
import { exactCount, formatDuration, formatRelative, formatRtt } from "./format.ts";
import { HelpOverlay } from "./HelpOverlay.tsx";
import { Icon } from "./Icon.tsx";
import { CONNECTION_LOOKS } from "./looks.ts";
import { Toasts } from "./Toasts.tsx";
import { plural, t } from "./text.ts";
import { useKeys } from "./use-keys.ts";
import { useWidth, WIDE_PX } from "./use-width.ts";

/** The whole page: header, rail, screen with its detail, footer, and what lies over them. */
export function Frame() {
  const dashboard = useDashboard();
  const { router, dialogs } = dashboard;
  const isWide = useWidth() >= WIDE_PX;
  const letters = useKeys(dashboard);
  const main = router.main.value;
  const detail = router.detail.value;
  const isPane = detail !== null && isWide;
  useFocusReturn(router.depth.value);
  return (
    <div class="frame">
      <Header />
      <Rail current={main} />
      <div class={`stage ${isPane ? "has-pane" : ""}`}>
        {/* A covered screen stays, so that going back finds its place and focus as they were. */}
        <main
          class="screen"
          data-screen={main.screen}
          id="screen"
          tabIndex={0}
          hidden={detail !== null && !isPane}
        >
          <ScreenOf address={main} />
        </main>
        {detail !== null && <DetailFrame isPane={isPane} address={detail} />}
      </div>
      <Toasts dialogs={dialogs} />
      <Footer />
      {dialogs.asked.value !== null && (
        <Confirm key={dialogs.asked.value.question.title} asked={dialogs.asked.value} />
      )}
      {dialogs.helpOpen.value && (
        <HelpOverlay
          letters={letters.value}
          onLetters={(on) => {
            letters.value = on;
          }}
          onClose={() => dialogs.showHelp(false)}
        />
      )}
    </div>
  );
}

function ScreenOf(props: { address: Address }) {
  const { address } = props;
  const entry = SCREEN_VIEWS[address.screen];
  if (entry === undefined) return null;
  const View = entry.view;
  const name = `${address.screen} ${address.id ?? ""}`;
  return (
    <ErrorBoundary name={name}>
      <View key={name} address={address} />
    </ErrorBoundary>
  );
}

function DetailFrame(props: { address: Address; isPane: boolean }) {
  const { router } = useDashboard();
  const { address, isPane } = props;
  const title = t(SCREEN_VIEWS[address.screen]?.title ?? "");
  const body: ComponentChildren = (
    <>
      <div class="detail-bar">
        {isPane && router.depth.value <= 1 ? null : (
          <IconButton icon="arrow-left" label={t("Back")} onClick={() => router.back()} />
        )}
        <span class="dim">{title}</span>
        <span class="spacer" />
        {isPane && (
          <IconButton icon="close" label={t("Close")} onClick={() => router.closeDetails()} />
        )}
      </div>
      <ScreenOf address={address} />
    </>
  );
  return isPane ? (
    <aside class="pane" aria-label={title} id="detail" tabIndex={0}>
      {body}
    </aside>
  ) : (
    <main class="screen detail-page" data-screen={address.screen} id="detail" tabIndex={0}>
      {body}
    </main>
  );
}

/** The focus goes into a detail that opens, and back to where it was when the detail closes. */
function useFocusReturn(depth: number): void {
  const origins = useRef<(Element | null)[]>([]);
  const before = useRef(depth);
  if (depth > before.current) origins.current[depth] = document.activeElement;
  useEffect(() => {
    if (depth > before.current) document.getElementById("detail")?.focus();
    if (depth < before.current) {
      const origin = origins.current[depth + 1];
      if (origin instanceof HTMLElement && origin.isConnected) origin.focus();
      else document.getElementById(depth > 0 ? "detail" : "screen")?.focus();
    }
    before.current = depth;
  }, [depth]);
}

/** What stands beside the state: the address and the round trip, or since when and how often. */
function connectionDetail(state: ConnectionState, at: number): string {
  switch (state.kind) {
    case "connected":
      return state.rttMs === null ? state.url : `${state.url} · ${formatRtt(state.rttMs)}`;
    case "connecting":
      return state.attempt > 1 ? t("attempt {n}", { n: state.attempt }) : state.url;
    case "reconnecting":
      return t("attempt {n}, since {time}", {
        n: state.attempt,
        time: formatDuration(Math.max(0, at - state.since)),
      });
    case "offline":
    case "stopped":
      return formatRelative(state.since, at);
    case "idle":
    case "starting":
      return "";
    default:
      return state satisfies never;
  }
}

function Header() {
  const { connection, role, live, router, dialogs } = useDashboard();
  const state = connection.state.value;
  const user = connection.identity.value?.user ?? "";
  const isLive = live.isOn.value;
  return (
    <header class="head">
      <span class="brand">msg_sys</span>
      <button
        type="button"
        class="plain head-connection"
        title={t("Show the connection")}
        onClick={() => router.navigate({ screen: "connection" })}
      >
        <Badge look={CONNECTION_LOOKS[state.kind]} />
        <span class="dim cut">{connectionDetail(state, now.value)}</span>
      </button>
      <span class="spacer" />
      {role.value !== null && (
        <span class="dim head-role" title={t("You are {user}", { user })}>
          {t("role {role}", { role: role.value })}
        </span>
      )}
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked={isLive}
        title={isLive ? t("Switch live data off") : t("Switch live data on")}
        onClick={() => live.set(!isLive)}
      >
        <Icon name={isLive ? "circle-filled" : "debug-pause"} tone={isLive ? "run" : "plain"} />
        {isLive ? t("Live") : t("Paused")}
      </button>
      <IconButton icon="question" label={t("Keyboard")} onClick={() => dialogs.showHelp(true)} />
    </header>
  );
}

function Rail(props: { current: Address }) {
  const { router } = useDashboard();
  return (
    <nav class="rail" aria-label={t("Screens")}>
      <ul>
        {RAIL.map((screen, index) => {
          const entry = SCREEN_VIEWS[screen];
          if (entry === undefined) return null;
          const isCurrent = props.current.screen === screen;
          return (
            <li key={screen}>
              <button
                type="button"
                class="rail-item"
                aria-current={isCurrent ? "page" : undefined}
                aria-keyshortcuts={String(index + 1)}
                title={`${t(entry.title)} (${index + 1})`}
                onClick={() => router.navigate({ screen })}
              >
                <Icon name={entry.icon} />
                <span class="rail-word">{t(entry.title)}</span>
                {screen === "dead" && <DeadCount />}
              </button>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

function DeadCount() {
  const { deadCount } = useDashboard();
  const count = deadCount.value;
  return <CountPill count={count} label={plural(count, "1 dead letter", "{n} dead letters")} />;
}

function Footer() {
  const { feed, live } = useDashboard();
  const { lastAt, perSecond, dropped, isHeard } = feed.state.value;
  const parts = !live.isOn.value
    ? [t("Live data are switched off")]
    : !isHeard
      ? [t("No event heard yet")]
      : [
          lastAt === null
            ? t("No event heard yet")
            : t("Last event {when}", {
                when: formatRelative(Math.min(lastAt, now.value), now.value),
              }),
          t("{n} events/s", { n: exactCount(perSecond) }),
        ];
  return (
    <footer class="foot">
      <span class="cut">{parts.join(" · ")}</span>
      {isHeard && live.isOn.value && (
        <span
          class="nowrap"
          title={t(
            "Events that this view was too slow for. The daemon has them all; only this list lacks them.",
          )}
        >
          &nbsp;· {t("{n} dropped", { n: exactCount(dropped) })}
        </span>
      )}
    </footer>
  );
}
