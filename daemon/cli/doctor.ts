import type { Context } from "./context.ts";
import { type Check, checkConnected, checkMachine } from "./doctor-checks.ts";
import { renderTable } from "./table.ts";

/** Checks everything that the daemon needs, with a remedy for what is missing; 1 when something is. */
export async function run(context: Context): Promise<number> {
  const { paint, io } = context;
  const checks = [...(await checkMachine(context)), ...(await checkConnected(context))];
  const failed = checks.filter(({ state }) => state === "missing");
  context.result({ ok: failed.length === 0, checks }, () =>
    renderTable(
      [{ title: "" }, { title: "What" }, { title: "Found" }, { title: "From", shrinks: true }],
      checks.map((check) => [stateWord(check.state, paint), check.what, check.found, check.from]),
      { width: Math.max(io.columns, 80) },
    ),
  );
  for (const { what, remedy } of checks) if (remedy !== null) context.hint(`${what}: ${remedy}`);
  return failed.length === 0 ? 0 : 1;
}

function stateWord(state: Check["state"], paint: Context["paint"]): string {
  if (state === "ok") return paint("green", "ok");
  return state === "note" ? paint("yellow", "note") : paint("red", "missing");
}
