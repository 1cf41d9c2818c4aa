import { GUIDANCE } from "../shared/connection.ts";
import { formatDuration } from "../shared/time.ts";
import { type CommandId, REMEDY_COMMANDS } from "./contributions.ts";
import type { Standing, Status } from "./status.ts";
import type { Translate } from "./translate.ts";
import { markdownText } from "./views/foreign.ts";

/** How a status looks: everything that VS Code is told, from one value, so that no two parts can disagree. */
export interface StatusLook {
  /** At most 24 characters besides the icon. */
  readonly text: string;
  readonly background: "warning" | "error" | null;
  /** Markdown; its links are commands of ours. */
  readonly tooltip: string;
  readonly command: CommandId;
  /** What a screen reader says. */
  readonly label: string;
}

type Link = readonly [
  text: string,
  command: CommandId | "workbench.trust.manage",
  args?: readonly unknown[],
];

export function lookOf(status: Status, now: number, t: Translate): StatusLook {
  switch (status.kind) {
    case "idle":
      return look("$(circle-outline) msg_sys", null, "msgSys.connection.show", [
        t("msg_sys: no daemon was looked for yet"),
        [[t("Connect"), "msgSys.connection.retry"]],
      ]);
    case "quiet":
    case "work":
      return standingLook(status, t);
    case "paused":
      return look("$(debug-pause) msg_sys paused", null, "msgSys.live.resume", [
        t("msg_sys: live data is paused"),
        [[t("Resume"), "msgSys.live.resume"], ...standingLinks(t)],
      ]);
    case "dead":
      return deadLook(status, t);
    case "slow":
      return look("$(warning) msg_sys slow", "warning", "msgSys.dashboard.open", [
        t(
          "msg_sys: work is late in {0} for {1}",
          markdownText(status.backlog.where, 60),
          formatDuration(Math.max(0, now - status.backlog.since)),
        ),
        [
          [t("Open Queues"), "msgSys.dashboard.open", [{ screen: "queues" }]],
          ...standingLinks(t).slice(1),
        ],
      ]);
    case "starting":
      return look("$(loading~spin) msg_sys", null, "msgSys.daemonLog.show", [
        t("msg_sys: the daemon is starting"),
        [[t("Show Daemon Log"), "msgSys.daemonLog.show"]],
      ]);
    case "connecting":
      return look("$(loading~spin) msg_sys", null, "msgSys.connection.show", [
        t("msg_sys: connecting to {0}, attempt {1}", markdownText(status.url, 80), status.attempt),
        [[t("Show Connection"), "msgSys.connection.show"]],
      ]);
    case "reconnecting":
      return look("$(sync~spin) msg_sys", null, "msgSys.connection.show", [
        t(
          "msg_sys: reconnecting; what is shown may be out of date since {0}",
          markdownText(new Date(status.since).toLocaleTimeString()),
        ),
        [[t("Show Connection"), "msgSys.connection.show"]],
      ]);
    case "offline":
      return offlineLook(status, t);
    case "off":
      return status.remote
        ? look("$(circle-slash) msg_sys off", null, "msgSys.account.signIn", [
            t("msg_sys: you are signed out"),
            [
              [t("Sign In…"), "msgSys.account.signIn"],
              [t("Choose Connection…"), "msgSys.connection.choose"],
            ],
          ])
        : look("$(circle-slash) msg_sys off", null, "msgSys.daemon.start", [
            t("msg_sys: no daemon is running"),
            [[t("Start Daemon"), "msgSys.daemon.start"]],
          ]);
    case "update":
      return look("$(warning) msg_sys update", "warning", "msgSys.daemon.restart", [
        status.daemon === null
          ? t(
              "msg_sys: the daemon speaks another version than this extension, {0}",
              status.extension,
            )
          : t(
              "msg_sys: the daemon is version {0}, this extension {1}",
              markdownText(status.daemon, 40),
              status.extension,
            ),
        [
          [t("Restart Daemon"), "msgSys.daemon.restart"],
          [t("Show Daemon Log"), "msgSys.daemonLog.show"],
        ],
      ]);
    default:
      return status satisfies never;
  }
}

function standingLook(status: Standing & { readonly kind: string }, t: Translate): StatusLook {
  const waiting = status.work?.waiting ?? 0;
  const text = status.kind === "work" ? `$(pulse) msg_sys ${brief(waiting)}` : "$(pulse) msg_sys";
  return look(text, null, "msgSys.dashboard.open", [standingWords(status, t), standingLinks(t)]);
}

function standingWords({ url, rttMs, identity, work }: Standing, t: Translate): string {
  const parts = [
    t("msg_sys: connected to {0}", markdownText(url, 80)),
    rttMs === null ? "" : t("round trip {0}", markdownText(milliseconds(rttMs))),
    identity === null ? "" : t("{0} as {1}", markdownText(identity.user), identity.role),
    work === null ? "" : t("{0} waiting, {1} running", work.waiting, work.running),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function standingLinks(t: Translate): Link[] {
  return [
    [t("Dashboard"), "msgSys.dashboard.open"],
    [t("Run Pipeline…"), "msgSys.pipeline.run"],
    [t("Show Connection"), "msgSys.connection.show"],
  ];
}

function deadLook({ work }: Status & { kind: "dead" }, t: Translate): StatusLook {
  const { deadUnseen, deadCauses } = work;
  const causes = deadCauses.slice(0, 5).map((cause) => markdownText(cause, 60));
  const count =
    deadUnseen === 1
      ? t("msg_sys: 1 new dead letter")
      : t("msg_sys: {0} new dead letters", deadUnseen);
  return look(
    `$(error) msg_sys ${t("{0} dead", brief(deadUnseen))}`,
    null,
    "msgSys.deadLetters.open",
    [
      causes.length === 0 ? count : `${count}: ${causes.join(", ")}`,
      [[t("Open Dead Letters"), "msgSys.deadLetters.open"], ...standingLinks(t)],
    ],
  );
}

function offlineLook({ cause, remote }: Status & { kind: "offline" }, t: Translate): StatusLook {
  const { what, why, remedies } = GUIDANCE[cause.code];
  const useful = remedies.filter((remedy) => !remote || !NEEDS_MACHINE.includes(remedy));
  const links = useful.map((remedy): Link => [remedyTitle(remedy, t), REMEDY_COMMANDS[remedy]]);
  return look(`$(debug-disconnect) msg_sys ${t("offline")}`, "error", "msgSys.connection.show", [
    t("msg_sys is offline: {0} {1}", t(what), t(why)),
    links,
    cause.detail,
  ]);
}

/** What cannot be done to a daemon of another machine. */
const NEEDS_MACHINE: readonly string[] = ["start-daemon", "restart-daemon"];

/** The title of what a guidance offers, as on a button. */
export function remedyTitle(remedy: keyof typeof REMEDY_COMMANDS, t: Translate): string {
  const titles = {
    "start-daemon": t("Start Daemon"),
    "restart-daemon": t("Restart Daemon"),
    retry: t("Retry"),
    "show-log": t("Show Daemon Log"),
    "open-settings": t("Open Settings"),
    "sign-in": t("Sign In…"),
    "manage-trust": t("Manage Workspace Trust"),
  };
  return titles[remedy];
}

function look(
  text: string,
  background: StatusLook["background"],
  command: CommandId,
  [words, links, detail = ""]: readonly [
    words: string,
    links: readonly Link[],
    detail?: string | undefined,
  ],
): StatusLook {
  const menu = links.map(([title, id, args]) => `[${title}](${commandUri(id, args)})`).join(" · ");
  const rows = [words, detail === "" ? "" : markdownText(detail), menu];
  return {
    text,
    background,
    tooltip: rows.filter((row) => row !== "").join("\n\n"),
    command,
    label: spoken(words),
  };
}

function commandUri(id: string, args?: readonly unknown[]): string {
  return args === undefined
    ? `command:${id}`
    : `command:${id}?${encodeURIComponent(JSON.stringify(args))}`;
}

/** The words without what Markdown needed. */
function spoken(words: string): string {
  return words
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&amp;/g, "&")
    .replace(/\\(.)/g, "$1");
}

/** `16`, `12.4k`: short enough for the bar. */
export function brief(count: number): string {
  if (count < 10_000) return String(count);
  if (count < 1_000_000) return `${(count / 1000).toFixed(1)}k`;
  return `${(count / 1_000_000).toFixed(1)}M`;
}

function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
