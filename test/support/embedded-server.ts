import { onTestFinished } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import { noLog } from "../../daemon/log.ts";
import { type ConnectOptions, connectNats, type NatsLink } from "../../daemon/nats/connect.ts";
import { ensureInternalKeys, type UserKey } from "../../daemon/nats/keys.ts";
import { defaultCacheDir, locateNatsServer } from "../../daemon/nats/locate.ts";
import { type InternalUser, inboxPrefixOf } from "../../daemon/nats/permissions.ts";
import { type NatsServer, type NatsServerDeps, startNatsServer } from "../../daemon/nats/server.ts";
import { serverUsersOf } from "../../daemon/nats/server-config.ts";
import type { UserRecord } from "../../daemon/user-rules.ts";
import { type SettingsInput, settingsSchema } from "../../shared/settings.ts";
import { createNames } from "../../shared/subjects.ts";
import { tempDir } from "./temp-dir.ts";

/** The server of this machine, found without fetching one. */
export async function locateForTests() {
  return locateNatsServer({
    cacheDir: await defaultCacheDir(),
    allowDownload: false,
    log: () => {},
  });
}

/** What a test may want otherwise. */
export interface EmbeddedOptions extends Partial<Pick<NatsServerDeps, "policy" | "locate">> {
  readonly dataDir?: string;
  readonly nats?: SettingsInput["nats"];
  readonly people?: readonly UserRecord[];
}

/** A running server of ours with the keys of its internal users. */
export interface EmbeddedServer {
  readonly server: NatsServer;
  readonly dataDir: string;
  readonly keys: Readonly<Record<InternalUser, UserKey>>;
  reload(people: readonly UserRecord[]): Promise<void>;
  connect(user: Pick<UserKey, "name" | "seed">, more?: Partial<ConnectOptions>): Promise<NatsLink>;
}

/** Starts the embedded server as the daemon does; it and its connections end with the test. */
export async function embeddedServer(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const dataDir = options.dataDir ?? tempDir();
  const keys = await ensureInternalKeys(`${dataDir}/keys`);
  const users = (people: readonly UserRecord[]) => serverUsersOf(keys, people, createNames());
  const server = await startNatsServer({
    dataDir,
    settings: settingsSchema.parse({ nats: options.nats ?? {} }).nats,
    locate: options.locate ?? locateForTests,
    users: users(options.people ?? []),
    sysSeed: keys.sys.seed,
    clock: systemClock,
    log: noLog,
    ...(options.policy === undefined ? {} : { policy: options.policy }),
  });
  onTestFinished(() => server.stop());
  return {
    server,
    dataDir,
    keys,
    reload: (people) => server.reload(users(people)),
    async connect(user, more = {}) {
      const link = await connectNats({
        servers: server.url,
        seed: user.seed,
        name: user.name,
        inboxPrefix: inboxPrefixOf(user.name),
        ...more,
      });
      onTestFinished(() => link.nc.close());
      return link;
    },
  };
}
