import type { Disposable } from "vscode";
import { REMEDIES } from "../../shared/connection.ts";
import { SECOND } from "../../shared/time.ts";
import type { ViewNotice } from "../../shared/view/messages.ts";
import { sayEnglish } from "../../shared/view/rows.ts";
import { createViewSession, type HostActs, type ViewSession } from "../../shared/view/session.ts";
import type { App } from "../app-context.ts";
import type { Heard } from "./heard.ts";

/** The part of a webview that messages pass through. */
export interface Wire {
  postMessage(message: unknown): PromiseLike<boolean>;
  onDidReceiveMessage(listener: (message: unknown) => void): Disposable;
}

export interface BridgeDeps {
  readonly app: Pick<App, "client" | "connection" | "history" | "identity" | "setting" | "log">;
  readonly heard: Heard;
  readonly acts: HostActs;
  /** BCP 47. */
  readonly locale: string;
  /** Translations of the view's texts, by the English text. */
  readonly texts: Readonly<Record<string, string>>;
}

/** One webview's conversation with this window. */
export interface Bridge extends Pick<ViewSession, "navigate"> {
  /** Nobody sees the view: VS Code has dropped its document, which says `ready` when it is shown again. */
  hidden(): void;
  dispose(): void;
}

/** Joins a webview to the app. What it posts is parsed before anything is done; what is posted to it is plain data. */
export function openBridge(wire: Wire, deps: BridgeDeps): Bridge {
  const { app, heard } = deps;
  const post = (notice: ViewNotice): void => void wire.postMessage(notice);
  const session = createViewSession({
    client: () => app.client(),
    follow: (callback) => heard.follow(callback),
    connection: () => ({
      state: app.connection.get(),
      history: app.history(),
      identity: app.identity.get(),
      subscriptions: heard.subscriptions(),
    }),
    hello: () => ({
      host: "vscode",
      locale: deps.locale,
      texts: deps.texts,
      remedies: REMEDIES,
      limits: {
        oldestWaitMs: app.setting("msgSys.queues.oldestWaitSeconds") * SECOND,
        backlog: app.setting("msgSys.queues.backlogTasks"),
      },
    }),
    acts: deps.acts,
    post,
    say: (english, values) => sayEnglish(deps.texts[english] ?? english, values),
    refused: (what) => app.log.warn("message of a webview refused", { what }),
  });
  const stops = [
    app.connection.onChange(() => session.connectionChanged()),
    app.identity.onChange(() => session.connectionChanged()),
  ];
  const receiving = wire.onDidReceiveMessage((message) => session.receive(message));
  return {
    navigate: session.navigate,
    hidden: session.hidden,
    dispose() {
      receiving.dispose();
      for (const stop of stops) stop();
      session.close();
    },
  };
}
