import type { ResponseOf } from "../../shared/control.ts";
import { liveLease } from "../sdk/find-daemon.ts";
import { describeSettings, loadSettings } from "../settings.ts";
import type { Context } from "./context.ts";
import { renderTable } from "./table.ts";

/** Every setting with its source: as the running daemon has them, else as one started here would. */
export async function run(context: Context): Promise<number> {
  const { io, dataDir } = context;
  const running = context.globals.url !== undefined || liveLease(dataDir, io.now()) !== null;
  const view = running
    ? await (await context.client()).request("config", {})
    : await local(context);
  if (!running) context.hint("No daemon runs; these are the settings of one started here.");
  context.result(view, () => settingsText(view));
  return 0;
}

async function local({ io, hint }: Context): Promise<ResponseOf["config"]> {
  const loaded = await loadSettings({ cwd: io.cwd, env: io.env, flags: {} });
  for (const warning of loaded.warnings) hint(warning);
  if (loaded.configError !== null) hint(loaded.configError.message);
  return { settings: describeSettings(loaded) };
}

function settingsText({ settings }: ResponseOf["config"]): string {
  return renderTable(
    [{ title: "Setting" }, { title: "Value" }, { title: "Source" }],
    settings.map(({ key, value, source }) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
      source,
    ]),
  );
}
