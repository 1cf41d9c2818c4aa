import { type ConnectionState, GUIDANCE } from "../../shared/connection.ts";
import type { StatusView } from "../../shared/control.ts";
import type { Address } from "../../shared/view/messages.ts";
import { useDashboard, useQuery } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { Badge } from "../ui/Badge.tsx";
import { Duration, Elapsed, RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import {
  exactCount,
  formatDuration,
  formatInstant,
  formatMoment,
  formatRtt,
} from "../ui/format.ts";
import { CONNECTION_LOOKS } from "../ui/looks.ts";
import { Empty, Panel } from "../ui/Panel.tsx";
import { t } from "../ui/text.ts";
import { ConnectionGuidance } from "./ConnectionGuidance.tsx";
import { UptimeBand } from "./UptimeBand.tsx";

/** Whether there is a connection, since when, why not, and what can be done. */
export function Connection(_: { address: Address }) {
  const { connection } = useDashboard();
  const state = connection.state.value;
  return (
    <div class="connection">
      <h1 class="unseen">{t("Connection")}</h1>
      <StateLine state={state} />
      <ConnectionGuidance state={state} />
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
          {state.rttMs === null ? "" : t("round trip {time} · ", { time: formatRtt(state.rttMs) })}
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
                {formatMoment(change.at, now.value)}
              </time>
              <Badge look={CONNECTION_LOOKS[change.kind]} isPast />
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
