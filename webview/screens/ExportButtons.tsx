import { useState } from "preact/hooks";
import { useDashboard } from "../dashboard.ts";
import type { Outcome } from "../host.ts";
import { fileName, type Table, toCsv, toJson } from "../state/history.ts";
import { Button } from "../ui/controls.tsx";
import { exactCount } from "../ui/format.ts";
import { t } from "../ui/text.ts";

/** What is to be saved; `isWhole` false: there is more than one export holds. */
export interface Exported {
  readonly table: Table;
  readonly isWhole: boolean;
}

/** Saves rows as CSV or JSON, where the user wants them. `load` tells how many it has as it goes. */
export function ExportButtons(props: {
  name: string;
  load: (onLoaded: (count: number) => void) => Promise<Outcome<Exported>>;
}) {
  const { can, save, dialogs } = useDashboard();
  const { name, load } = props;
  const [loaded, setLoaded] = useState<number | null>(null);
  if (!can("save")) return null;
  const run = async (kind: "csv" | "json"): Promise<void> => {
    setLoaded(0);
    const outcome = await load(setLoaded);
    setLoaded(null);
    if (!outcome.ok) return dialogs.tell("bad", outcome.error.message, outcome.error.hint);
    const { table, isWhole } = outcome.value;
    const text = kind === "csv" ? toCsv(table) : toJson(table);
    if (!isWhole) {
      const n = exactCount(table.rows.length);
      dialogs.tell(
        "info",
        t("An export holds the newest {n} rows; narrow the search for others.", { n }),
      );
    }
    await save(fileName(name, Date.now(), kind), text);
  };
  return (
    <>
      {loaded !== null && (
        <span class="dim" role="status">
          {t("{n} loaded…", { n: exactCount(loaded) })}
        </span>
      )}
      <Button icon="export" disabled={loaded !== null} onClick={() => void run("csv")}>
        {t("Export CSV")}
      </Button>
      <Button icon="export" disabled={loaded !== null} onClick={() => void run("json")}>
        {t("Export JSON")}
      </Button>
    </>
  );
}
