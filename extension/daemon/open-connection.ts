import { existsSync } from "node:fs";
import { openLink } from "./client.ts";
import { type Connection, createConnection, type Place } from "./connection.ts";
import { locateDaemon } from "./locate.ts";
import { type Login, ownerLogin } from "./login.ts";
import { ensureDaemon, type SpawnOptions } from "./spawn.ts";

/** How a daemon is started from here, besides where its data lies. */
export type StartSettings = Pick<
  SpawnOptions,
  "program" | "node" | "env" | "workspace" | "configFile" | "natsServerPath" | "timeoutMs"
>;

/** What only the window knows. */
export interface WindowDeps {
  place(): Place;
  /** The login that was kept for a daemon elsewhere; null: none. */
  signedIn(place: Place & { kind: "remote" }): Promise<Login | null>;
  startSettings(): StartSettings;
  log(event: string, data?: object): void;
}

/** The connection of a window to the real world: clock, files, processes, network. */
export function openConnection(deps: WindowDeps): Connection {
  const now = Date.now;
  return createConnection({
    place: deps.place,
    login: async (place) =>
      place.kind === "local" ? ownerLogin(place.dataDir) : deps.signedIn(place),
    locate: (dataDir) => locateDaemon(dataDir, now()),
    spawn(dataDir) {
      const settings = deps.startSettings();
      if (!existsSync(settings.program))
        throw new Error(`the extension is incomplete: ${settings.program} is missing`);
      return ensureDaemon({ ...settings, dataDir, now });
    },
    open: openLink,
    now,
    random: Math.random,
    log: deps.log,
  });
}
