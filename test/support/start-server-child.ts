/** Program of a process that starts the embedded server and tells its parent where it is; for tests that kill it. */
import { systemClock } from "../../daemon/clock.ts";
import { noLog } from "../../daemon/log.ts";
import { ensureInternalKeys } from "../../daemon/nats/keys.ts";
import { startNatsServer } from "../../daemon/nats/server.ts";
import { serverUsersOf } from "../../daemon/nats/server-config.ts";
import { settingsSchema } from "../../shared/settings.ts";
import { createNames } from "../../shared/subjects.ts";

const [dataDir, program, version] = process.argv.slice(2) as [string, string, string];
const keys = await ensureInternalKeys(`${dataDir}/keys`);
const server = await startNatsServer({
  dataDir,
  settings: settingsSchema.parse({}).nats,
  locate: async () => ({ path: program, version }),
  users: serverUsersOf(keys, [], createNames()),
  sysSeed: keys.sys.seed,
  clock: systemClock,
  log: noLog,
});
process.send?.({ pid: await server.pid(), url: server.url });
