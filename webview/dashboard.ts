import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { createContext } from "preact";
import { useContext, useEffect, useMemo } from "preact/hooks";
import type { RequestOf, ResponseOf } from "../shared/control.ts";
import type { Role } from "../shared/roles.ts";
import type { HostAct, ViewNotice, ViewVerb } from "../shared/view/messages.ts";
import { copyInBrowser, saveInBrowser } from "./browser-acts.ts";
import type { Host, Outcome } from "./host.ts";
import { type ConnectionStore, createConnection } from "./state/connection.ts";
import { createDialogs, type Dialogs } from "./state/dialogs.ts";
import { createFeed, type Feed } from "./state/feed.ts";
import { createLive, type Live } from "./state/live.ts";
import { createPrefs, type Prefs } from "./state/prefs.ts";
import {
  createQueries,
  onDead,
  type Queries,
  type QueryOptions,
  type QueryState,
} from "./state/query.ts";
import { createRouter, type Router } from "./state/router.ts";
import { setTexts, t } from "./ui/text.ts";

export type Hello = Extract<ViewNotice, { type: "hello" }>;

/** All that screens work with: one of it for each page. */
export interface Dashboard {
  readonly host: Host;
  /** Null before the host greeted. */
  readonly hello: ReadonlySignal<Hello | null>;
  readonly connection: ConnectionStore;
  readonly role: ReadonlySignal<Role | null>;
  readonly queries: Queries;
  /** Dead letters there are; 0 while nobody knows. */
  readonly deadCount: ReadonlySignal<number>;
  readonly feed: Feed;
  readonly live: Live;
  readonly prefs: Prefs;
  readonly router: Router;
  readonly dialogs: Dialogs;
  /** Whether this host can do an act, so that its button is there. */
  can(act: HostAct["kind"]): boolean;
  copy(text: string): Promise<void>;
  /** Saves a text as a file: the user chooses where. */
  save(name: string, text: string): Promise<void>;
  stop(): void;
}

export function createDashboard(host: Host, now: () => number = Date.now): Dashboard {
  const hello = signal<Hello | null>(null);
  const prefs = createPrefs(host);
  const connection = createConnection(host, location.host);
  const live = createLive(host, prefs);
  const router = createRouter(prefs);
  const dialogs = createDialogs();
  const queries = createQueries({
    request: host.request,
    onChanged: (listener) =>
      host.onNotice((notice) => {
        if (notice.type === "changed") listener(notice.changed);
      }),
    connection: connection.phase,
    live: live.isOn,
    visible: live.isSeen,
    now,
  });
  const status = queries.watch("status", {}, { refreshOn: onDead });
  host.onNotice((notice) => {
    if (notice.type === "navigate") router.navigate(notice.address);
    if (notice.type !== "hello") return;
    setTexts(notice.locale, notice.texts);
    document.documentElement.lang = notice.locale;
    hello.value = notice;
  });
  return {
    host,
    hello,
    connection,
    role: computed(() => connection.identity.value?.role ?? null),
    queries,
    deadCount: computed(() => {
      const told = status.state.value;
      return "data" in told ? told.data.counts.dead : 0;
    }),
    feed: createFeed(host, now),
    live,
    prefs,
    router,
    dialogs,
    can: (act) => canAct(hello.value, act),
    async copy(text) {
      report(
        dialogs,
        await (canAct(hello.peek(), "copy") && host.kind === "vscode"
          ? host.act({ kind: "copy", text })
          : copyInBrowser(text)),
        t("Copied."),
      );
    },
    async save(name, text) {
      if (host.kind === "browser") saveInBrowser(name, text);
      else report(dialogs, await host.act({ kind: "save", name, text }), "");
    },
    stop() {
      queries.stop();
      live.stop();
      prefs.stop();
    },
  };
}

/** Copying and saving are things that a browser can do by itself. */
function canAct(hello: Hello | null, act: HostAct["kind"]): boolean {
  if (hello === null) return false;
  if (hello.host === "browser" && (act === "copy" || act === "save")) return true;
  return hello.acts.includes(act);
}

function report(dialogs: Dialogs, outcome: Outcome<null>, done: string): void {
  if (!outcome.ok) dialogs.tell("bad", outcome.error.message, outcome.error.hint);
  else if (done !== "") dialogs.tell("ok", done);
}

export const DashboardContext = createContext<Dashboard | null>(null);

export function useDashboard(): Dashboard {
  const dashboard = useContext(DashboardContext);
  if (dashboard === null) throw new Error("no dashboard around this component");
  return dashboard;
}

/** The answer of a verb, kept fresh while the component is there. */
export function useQuery<V extends ViewVerb>(
  verb: V,
  body: RequestOf<V>,
  options: QueryOptions = {},
): { readonly state: QueryState<ResponseOf[V]>; readonly refetch: () => void } {
  const { queries } = useDashboard();
  const name = JSON.stringify(body);
  // The body by its value: a new object of the same content is the same question.
  const query = useMemo(() => queries.watch(verb, body, options), [verb, name]);
  useEffect(() => query.release, [query]);
  return { state: query.state.value, refetch: query.refetch };
}

/** A value of the screen that a reload restores. Its signal lives as long as the page. */
export function useKept<T>(name: string, initial: T, isValid: (value: unknown) => value is T) {
  return useDashboard().prefs.slot(name, initial, isValid);
}
