import { type ConnectedClient, connect } from "../../daemon/sdk.ts";
import { ROLES, type Role } from "../../shared/roles.ts";
import { cliHere } from "./cli.ts";

/** One person of each role with a connection; named by the first letters of the role, e.g. `ope`. */
export interface People {
  readonly names: Readonly<Record<Role, string>>;
  readonly clients: Readonly<Record<Role, ConnectedClient>>;
  close(): Promise<void>;
}

/** Adds the people with the command line, as an Admin would, and connects with the seeds that it wrote. */
export async function addPeople(dataDir: string): Promise<People> {
  const entries: [Role, string, ConnectedClient][] = [];
  for (const role of ROLES) {
    const name = role.slice(0, 3).toLowerCase();
    const end = await cliHere(["--data", dataDir, "user", "add", name, "--role", role]);
    if (end.code !== 0) throw new Error(end.err);
    entries.push([role, name, await connect({ dataDir, user: name })]);
  }
  return {
    names: Object.fromEntries(entries.map(([role, name]) => [role, name])) as Record<Role, string>,
    clients: Object.fromEntries(entries.map(([role, , client]) => [role, client])) as Record<
      Role,
      ConnectedClient
    >,
    async close() {
      await Promise.all(entries.map(([, , client]) => client.close()));
    },
  };
}
