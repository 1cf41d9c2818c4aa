import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Context } from "./context.ts";

interface Options {
  readonly open?: boolean;
}

/** Prints a link that signs in to the browser dashboard, once; with `--open` a browser opens it. */
export async function run(context: Context, _: unknown, options: Options): Promise<number> {
  const client = await context.client({ start: true });
  const link = await client.request("dashboard_link", {});
  context.result(link, () => link.url);
  context.hint("The link is for you alone: it signs in once, within two minutes.");
  if (context.globals.url !== undefined)
    context.hint(
      "The dashboard is on the daemon's machine: open the link there, or forward its port.",
    );
  if (options.open === true && !(await openBrowser(link.url, context.io.env)))
    context.hint("No browser could be started here: open the link yourself.");
  return 0;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The program of each system that opens an address in the user's browser. */
function opener(url: string): readonly [string, readonly string[]] {
  if (process.platform === "darwin") return ["open", [url]];
  // Not `start`: a shell would read the address.
  if (process.platform === "win32") return ["rundll32", ["url.dll,FileProtocolHandler", url]];
  return ["xdg-open", [url]];
}

/** True when the system took the address. The browser goes on by itself. */
async function openBrowser(url: string, env: Env): Promise<boolean> {
  const [program, args] = opener(url);
  const child = spawn(program, args, { stdio: "ignore", detached: true, env: { ...env } });
  try {
    await once(child, "spawn");
    child.unref();
    return true;
  } catch {
    // Ignored: there is no such program, which the caller says in words.
    return false;
  }
}
