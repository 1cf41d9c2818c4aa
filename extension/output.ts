import { join } from "node:path";
import * as vscode from "vscode";
import type { Log } from "./app-context.ts";

/** The output channels: "msg_sys" of this window, and "msg_sys daemon", the daemon's own log. */
export interface Output {
  readonly log: Log;
  show(): void;
  /** Shows the log of the daemon of a data directory, and follows it from then on. */
  showDaemon(dataDir: string): Promise<void>;
  dispose(): void;
}

export function createOutput(): Output {
  const channel = vscode.window.createOutputChannel("msg_sys", { log: true });
  let daemon: { readonly dataDir: string; readonly shown: Shown } | null = null;
  const line =
    (level: "debug" | "info" | "warn" | "error") =>
    (event: string, data?: object): void =>
      channel[level](data === undefined ? event : `${event} ${JSON.stringify(data)}`);
  return {
    log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    show: () => channel.show(true),
    async showDaemon(dataDir) {
      if (daemon?.dataDir !== dataDir) {
        daemon?.shown.dispose();
        daemon = { dataDir, shown: await follow(dataDir) };
      }
      daemon.shown.channel.show(true);
    },
    dispose() {
      daemon?.shown.dispose();
      channel.dispose();
    },
  };
}

interface Shown {
  readonly channel: vscode.LogOutputChannel;
  dispose(): void;
}

async function follow(dataDir: string): Promise<Shown> {
  const { tailFile } = await import("./daemon/log-tail.ts");
  const { readLogLine } = await import("./daemon/log-line.ts");
  const channel = vscode.window.createOutputChannel("msg_sys daemon", { log: true });
  const logs = join(dataDir, "logs");
  channel.info(vscode.l10n.t("Log of the daemon in {0}", dataDir));
  const tails = [
    tailFile(join(logs, "daemon.log"), (text) => {
      const said = readLogLine(text);
      channel[said.level](said.text);
    }),
    // What it says before it has a log, and when it cannot start.
    tailFile(join(logs, "daemon.out"), (text) => channel.info(text)),
  ];
  return {
    channel,
    dispose() {
      for (const tail of tails) tail.stop();
      channel.dispose();
    },
  };
}
