import {
  type ConnectionCause,
  type ConnectionState,
  GUIDANCE,
  type Guidance,
  type Remedy,
} from "../../shared/connection.ts";
import { type Dashboard, useDashboard } from "../dashboard.ts";
import { Button } from "../ui/controls.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import type { IconName } from "../ui/icon-names.ts";
import { key, t } from "../ui/text.ts";

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

function causeOf(state: ConnectionState): ConnectionCause | null {
  return state.kind === "reconnecting" || state.kind === "offline" ? state.cause : null;
}

/** What happened, the likely reason, and what can be done from here. Nothing while all is well. */
export function ConnectionGuidance(props: { state: ConnectionState }) {
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
