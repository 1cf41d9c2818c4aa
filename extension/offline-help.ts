import * as vscode from "vscode";
import { type ConnectionState, GUIDANCE, type Remedy } from "../shared/connection.ts";
import type { App } from "./app-context.ts";
import { causeIn } from "./daemon/connection-record.ts";
import { remedyTitle } from "./status-look.ts";
import { readSetting } from "./typed-api.ts";

/** A choice of a message that does something. */
interface RemedyItem extends vscode.MessageItem {
  readonly remedy: Remedy;
}

/** Says why nothing can be done now, and offers what helps. */
export function explainOffline(app: Pick<App, "perform" | "log">, state: ConnectionState): void {
  const cause = causeIn(state);
  const { what, why, remedies } = GUIDANCE[cause?.code ?? "no-daemon"];
  const items = offered(remedies).map(
    (remedy): RemedyItem => ({ title: remedyTitle(remedy, vscode.l10n.t), remedy }),
  );
  const words = `${vscode.l10n.t(what)} ${vscode.l10n.t(why)}`;
  void vscode.window
    .showErrorMessage<RemedyItem>(words, ...items)
    .then((chosen) => chosen && app.perform(chosen.remedy));
}

/** A daemon of another machine cannot be started or restarted from here. */
function offered(remedies: readonly Remedy[]): Remedy[] {
  const isRemote = readSetting("msgSys.connection.profile") !== "";
  return remedies.filter(
    (remedy) => !isRemote || (remedy !== "start-daemon" && remedy !== "restart-daemon"),
  );
}
