import {
  type ConnectionCause,
  type ConnectionState,
  GUIDANCE,
  type Guidance,
  type Remedy,
} from "../../shared/connection.ts";
import type { StatusView } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { type Dashboard, useDashboard, useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { type BandCell, uptimeOf } from "../state/connection.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/controls.tsx";
import { Duration, Elapsed, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import {
  exactCount,
  formatClock,
  formatDuration,
  formatInstant,
  formatShare,
} from "../ui/format.ts";
import type { IconName } from "../ui/icon-names.ts";
import { CONNECTION_LOOKS } from "../ui/looks.ts";
import { Empty, Panel } from "../ui/Panel.tsx";
import { key, plural, t } from "../ui/text.ts";

const REMEDY_LOOKS: Readonly<Record<Remedy, { readonly word: string; readonly icon: IconName }>> = {
  "start-daemon": { word: key("Start daemon"), icon: "debug-start" },
  "restart-daemon": { word: key("Restart daemon"), icon: "debug-restart" },
  retry: { word: key("Retry now"), icon: "refresh" },
  "show-log": { word: key("Show daemon log"), icon: "go-to-file" },
  "open-settings": { word: key("Open settings"), icon: "edit" },
  "sign-in": { word: key("Sign in…"), icon: "sign-in" },
  "manage-trust": { word: key("Manage workspace trust"), icon: "shield" },
};

/** A browser signs in by a link, not by a file. */
const SIGNED_OUT: Guidance = {
  what: key("This browser is not signed in to the daemon any more."),
  why: key(
    "The daemon was started anew, or the sign-in has expired. `msgsys dashboard` gives a new link.",
  ),
  remedies: ["retry"],
};

/** Whether there is a connection, since when, why not, and what can be done. */
export function Connection(_: { address: Address }) {
  const { connection } = useDashboard();
  const state = connection.state.value;
  return (
    <div class="connection">
      <h1 class="unseen">{t("Connection")}</h1>
      <StateLine state={state} />
      <GuidanceOf state={state} />
      <UptimeBand />
      <div class="connection-grid">
        <History />
        <Subscriptions />
      </div>
      <ServerFacts />
    </div>
  );
}

function StateLine(props: { state: ConnectionState }) {
  const { state } = props;
  return (
    <div class="state-line" role="status">
      <Badge look={CONNECTION_LOOKS[state.kind]} />
      {"url" in state && (
        <span class="mono wrap">
          <Foreign text={state.url} />
        </span>
      )}
      {state.kind === "connected" && (
        <span class="dim">
          {state.rttMs === null
            ? ""
            : t("round trip {time} · ", { time: `${state.rttMs.toFixed(1)} ms` })}
          {t("since")} <RelativeTime at={state.since} />
        </span>
      )}
      {(state.kind === "reconnecting" || state.kind === "connecting") && (
        <span class="dim">
          {t("attempt {n} · for", { n: state.attempt })} <Elapsed since={state.since} />
          {state.kind === "reconnecting" && state.nextTryAt !== null && (
            <>
              {" · "}
              {t("next try in {time}", {
                time: formatDuration(Math.max(0, state.nextTryAt - now.value)),
              })}
            </>
          )}
        </span>
      )}
      {(state.kind === "offline" || state.kind === "stopped" || state.kind === "starting") && (
        <span class="dim">
          <RelativeTime at={state.since} />
        </span>
      )}
    </div>
  );
}

function causeOf(state: ConnectionState): ConnectionCause | null {
  return state.kind === "reconnecting" || state.kind === "offline" ? state.cause : null;
}

function GuidanceOf(props: { state: ConnectionState }) {
  const dashboard = useDashboard();
  const { state } = props;
  const cause = causeOf(state);
  const isOurStop = state.kind === "stopped";
  if (cause === null && !isOurStop) return null;
  const guidance =
    cause === null
      ? {
          what: key("The daemon was stopped."),
          why: key("It stays so until it is started."),
          remedies: ["start-daemon"] as const,
        }
      : dashboard.connection.isSignedOut.value
        ? SIGNED_OUT
        : GUIDANCE[cause.code];
  const remedies = guidance.remedies.filter((remedy) => canRemedy(dashboard, remedy));
  return (
    <section class="note note-warn guidance" aria-label={t("What you can do")}>
      <div class="note-text">
        <h2>{t(guidance.what)}</h2>
        <p>{t(guidance.why)}</p>
        {cause !== null && cause.detail !== "" && (
          <p class="dim small wrap">
            <Foreign text={cause.detail} limit={500} />
          </p>
        )}
        <div class="buttons">
          {remedies.map((remedy, index) => (
            <Button
              key={remedy}
              kind={index === 0 ? "primary" : "secondary"}
              icon={REMEDY_LOOKS[remedy].icon}
              onClick={() => void applyRemedy(dashboard, remedy)}
            >
              {t(REMEDY_LOOKS[remedy].word)}
            </Button>
          ))}
        </div>
        {remedies.length === 0 && (
          <p class="dim">{t("In a terminal, `msgsys doctor` says what is wrong.")}</p>
        )}
      </div>
    </section>
  );
}

/** A page in a browser whose own link is closed can do one thing: try again. */
function canRemedy(dashboard: Dashboard, remedy: Remedy): boolean {
  const isLinked = dashboard.host.link.value.kind === "open";
  if (!isLinked) return remedy === "retry";
  return dashboard.hello.value?.remedies.includes(remedy) === true;
}

async function applyRemedy(dashboard: Dashboard, remedy: Remedy): Promise<void> {
  const { host, dialogs } = dashboard;
  if (host.link.peek().kind !== "open") {
    host.retryNow();
    return;
  }
  const outcome = await host.act({ kind: "remedy", remedy });
  if (!outcome.ok) dialogs.tell("bad", outcome.error.message, outcome.error.hint);
}

const BAND_CELL_PX = 8;
const BAND_PX = 16;
/** Read from the oldest on, for screen readers and as a legend. */
const BAND_WORDS: Readonly<Record<BandCell, string>> = {
  up: key("connected"),
  partly: key("partly connected"),
  down: key("not connected"),
  unknown: key("not known"),
};

/** The last day as a row of shapes: full, half, cross, dot. */
function UptimeBand() {
  const { connection } = useDashboard();
  // Once a minute is often enough for a band of half hours.
  const minute = Math.floor(now.value / 60_000) * 60_000 + 60_000;
  const { cells, share, drops, longestDownMs } = uptimeOf(connection.history.value, minute);
  const words = [
    share === null
      ? t("Nothing is known yet.")
      : t("connected {share}", { share: formatShare(share) }),
    plural(drops, "1 drop", "{n} drops"),
    ...(longestDownMs > 0 ? [t("longest {time}", { time: formatDuration(longestDownMs) })] : []),
  ].join(" · ");
  const seen = (Object.keys(BAND_WORDS) as BandCell[]).filter((cell) => cells.includes(cell));
  return (
    <section class="panel" aria-label={t("Last 24 hours")}>
      <header class="panel-head">
        <h2>{t("Last 24 hours")}</h2>
        <span class="dim">{words}</span>
      </header>
      <svg
        class="band"
        viewBox={`0 0 ${cells.length * BAND_CELL_PX} ${BAND_PX}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("Connection in the last 24 hours: {words}", { words })}
      >
        {cells.map((cell, index) => (
          <BandShape key={`${index}${cell}`} cell={cell} x={index * BAND_CELL_PX} />
        ))}
      </svg>
      <ul class="legend" aria-hidden="true">
        {seen.map((cell) => (
          <li key={cell}>
            <svg width={BAND_CELL_PX} height={BAND_PX} class="band-key">
              <BandShape cell={cell} x={0} />
            </svg>
            {t(BAND_WORDS[cell])}
          </li>
        ))}
      </ul>
    </section>
  );
}

function BandShape(props: { cell: BandCell; x: number }) {
  const { cell, x } = props;
  const width = BAND_CELL_PX - 1;
  switch (cell) {
    case "up":
      return <rect class="band-up" x={x} y={0} width={width} height={BAND_PX} />;
    case "partly":
      return <rect class="band-partly" x={x} y={BAND_PX / 2} width={width} height={BAND_PX / 2} />;
    case "down":
      return <path class="band-down" d={`M${x + 1} 4l5 8M${x + 6} 4l-5 8`} />;
    case "unknown":
      return <circle class="band-unknown" cx={x + width / 2} cy={BAND_PX / 2} r={1} />;
    default:
      return cell satisfies never;
  }
}

const HISTORY_SHOWN = 20;

function History() {
  const { connection } = useDashboard();
  const changes = connection.history.value.slice(-HISTORY_SHOWN).reverse();
  return (
    <section class="panel" aria-labelledby="history-title">
      <header class="panel-head">
        <h2 id="history-title">{t("History")}</h2>
      </header>
      {changes.length === 0 ? (
        <Empty why={t("Nothing has changed yet.")} />
      ) : (
        <ul class="rows">
          {changes.map((change) => (
            <li class="row" key={`${change.at} ${change.kind}`}>
              <time
                class="mono dim nowrap"
                dateTime={new Date(change.at).toISOString()}
                title={formatInstant(change.at)}
              >
                {formatClock(change.at)}
              </time>
              <Badge look={CONNECTION_LOOKS[change.kind]} />
              {change.cause !== null && (
                <span class="dim cut grow" title={change.cause.detail}>
                  {t(GUIDANCE[change.cause.code].what)}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Subscriptions() {
  const { connection } = useDashboard();
  const subscriptions = connection.subscriptions.value;
  return (
    <section class="panel" aria-labelledby="subscriptions-title">
      <header class="panel-head">
        <h2 id="subscriptions-title">{t("Subscriptions")}</h2>
      </header>
      {subscriptions.length === 0 ? (
        <Empty why={t("This view listens to nothing at the moment.")} />
      ) : (
        <table class="data-table">
          <thead>
            <tr>
              <th scope="col">{t("Subject")}</th>
              <th scope="col" class="num">
                {t("Messages")}
              </th>
              <th scope="col" class="num">
                {t("Last")}
              </th>
            </tr>
          </thead>
          <tbody>
            {subscriptions.map(({ subject, messages, lastAt }) => (
              <tr key={subject}>
                <td class="mono wrap">{subject}</td>
                <td class="num">{exactCount(messages)}</td>
                <td class="num nowrap">
                  <RelativeTime at={lastAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function ServerFacts() {
  const { state, refetch } = useQuery("status", {}, { everyMs: 10_000 });
  return (
    <Panel title={t("Daemon and server")} state={state} onRetry={refetch} rows={2}>
      {(status) => <Facts status={status} />}
    </Panel>
  );
}

function Facts(props: { status: StatusView }) {
  const { daemon, nats, audit, workers } = props.status;
  const ready = workers.filter(({ state }) => state === "ready").length;
  return (
    <dl class="facts">
      <div>
        <dt>{t("Daemon")}</dt>
        <dd>
          {daemon.version} · pid {daemon.pid} · {t("up")}{" "}
          <Duration ms={Math.max(0, now.value - Date.parse(daemon.startedAt))} /> ·{" "}
          {Math.round(daemon.memoryMb)} MB
        </dd>
      </div>
      <div>
        <dt>{t("NATS server")}</dt>
        <dd>
          {nats.version} · {nats.embedded ? t("started by the daemon") : t("external")}
          {nats.pid !== null && <> · pid {nats.pid}</>}
        </dd>
      </div>
      <div>
        <dt>{t("Workers")}</dt>
        <dd>{t("{ready} of {all} ready", { ready, all: workers.length })}</dd>
      </div>
      <div>
        <dt>{t("Audit")}</dt>
        <dd>
          {audit.state === "ok" ? t("written") : t("cannot be written")}
          {audit.lagRecords > 0 && (
            <> · {t("{n} records behind", { n: exactCount(audit.lagRecords) })}</>
          )}
        </dd>
      </div>
      <div>
        <dt>{t("Data directory")}</dt>
        <dd class="mono wrap">
          <Foreign text={daemon.dataDir} />
        </dd>
      </div>
    </dl>
  );
}
