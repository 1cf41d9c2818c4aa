import { useMemo, useState } from "preact/hooks";
import { LEVEL_NAMES } from "../../shared/priority.ts";
import { useDashboard, useKept, useQuery } from "../dashboard.ts";
import { type Cell, searchRows, type Table } from "../state/history.ts";
import { isText } from "../state/prefs.ts";
import { onAnyTask } from "../state/query.ts";
import { Button, Select, TextField } from "../ui/controls.tsx";
import { type Column, DataTable } from "../ui/DataTable.tsx";
import { RelativeTime } from "../ui/Duration.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, shortId } from "../ui/format.ts";
import { Panel } from "../ui/Panel.tsx";
import { Toolbar } from "../ui/Toolbar.tsx";
import { key, plural, t } from "../ui/text.ts";
import { ExportButtons } from "./ExportButtons.tsx";
import { levelWords } from "./TaskTimeline.tsx";

const SPANS = ["24", "168", "720", "8760"] as const;
type Span = (typeof SPANS)[number];
const isSpan = (value: unknown): value is Span => SPANS.some((span) => span === value);
const SPAN_WORDS: Readonly<Record<Span, string>> = {
  "24": key("last 24 hours"),
  "168": key("last 7 days"),
  "720": key("last 30 days"),
  "8760": key("last year"),
};
/** The daemon answers with so many at most, the newest. */
const LIMIT = 1000;
/** Rows that are shown at once. */
const SHOWN = 100;

type Row = readonly Cell[];

/** A ready-made question to the audit as a table that is searched here: changes of priority, or refusals. */
export function AuditRows(props: { query: "priority" | "refusals" }) {
  const { query } = props;
  const span = useKept<Span>(`history.${query}.span`, "168", isSpan);
  const text = useKept(`history.${query}.text`, "", isText);
  const { state, refetch } = useQuery(
    "audit_query",
    { query, hours: Number(span.value) },
    { refreshOn: onAnyTask, everyMs: 30_000 },
  );
  return (
    <>
      <Toolbar label={t("Search")}>
        <div class="search">
          <TextField
            label={t("Search")}
            hideLabel
            value={text.value}
            placeholder={t("Search, e.g. a name, a task, a reason")}
            onInput={(value) => {
              text.value = value;
            }}
          />
        </div>
        <Select
          label={t("Time range")}
          hideLabel
          value={span.value}
          options={SPANS.map((value) => ({ value, label: t(SPAN_WORDS[value]) }))}
          onChange={(value) => {
            span.value = value;
          }}
        />
      </Toolbar>
      <Panel
        title={query === "priority" ? t("Priority changes") : t("Refusals")}
        hideTitle
        state={state}
        onRetry={refetch}
        rows={6}
        empty={({ rows }) =>
          rows.length > 0
            ? null
            : {
                why:
                  query === "priority"
                    ? t("No priority was changed in this time.")
                    : t("Nothing was refused in this time."),
              }
        }
      >
        {(table) => <Rows table={table} query={query} text={text.value} />}
      </Panel>
    </>
  );
}

function Rows(props: { table: Table; query: "priority" | "refusals"; text: string }) {
  const { router } = useDashboard();
  const { table, query, text } = props;
  const found = useMemo(() => searchRows(table.rows, text), [table, text]);
  const [shown, setShown] = useState(SHOWN);
  const idAt = table.columns.indexOf(query === "priority" ? "task_id" : "target");
  const left = found.length - shown;
  const columns = useMemo(() => columnsOf(table, idAt), [table, idAt]);
  const keyed = new Map(found.slice(0, shown).map((row, index) => [row, String(index)]));
  return (
    <>
      <Toolbar label={t("What was found")}>
        <span class="grow">
          {t("{n} of {all} rows", {
            n: exactCount(found.length),
            all:
              table.rows.length >= LIMIT
                ? t("the newest {n}", { n: exactCount(LIMIT) })
                : exactCount(table.rows.length),
          })}
        </span>
        <ExportButtons
          name={query}
          load={() =>
            Promise.resolve({
              ok: true,
              value: {
                table: { columns: table.columns, rows: found },
                isWhole: table.rows.length < LIMIT,
              },
            })
          }
        />
      </Toolbar>
      <div class="audit-table">
        <DataTable
          label={query === "priority" ? t("Priority changes") : t("Refusals")}
          columns={columns}
          rows={[...keyed.keys()]}
          keyOf={(row) => keyed.get(row) ?? ""}
          onOpen={(row) => {
            const id = row[idAt];
            if (typeof id === "string" && id !== "") router.navigate({ screen: "task", id });
          }}
        />
      </div>
      {left > 0 && (
        <Button onClick={() => setShown(shown + SHOWN * 4)}>
          {plural(left, "Show 1 more", "Show {n} more", { n: exactCount(left) })}
        </Button>
      )}
    </>
  );
}

/** Words for the columns that the daemon names; an unknown one keeps its name. */
const TITLES: Readonly<Record<string, string>> = {
  at: key("When"),
  task_id: key("Task"),
  target: key("Task"),
  by: key("By"),
  user: key("User"),
  role: key("Role"),
  action: key("Change"),
  from_level: key("From"),
  to_level: key("To"),
  reason: key("Reason"),
  verb: key("Verb"),
  what: key("Why"),
};
/** What is left out when there is little room. */
const WIDE: readonly string[] = ["role", "action", "verb"];

function columnsOf({ columns }: Table, idAt: number): Column<Row>[] {
  return columns.map((name, index) => {
    const isLong = name === "reason" || name === "what";
    const looks = [isLong ? "grow" : "nowrap", WIDE.includes(name) ? "wide" : ""];
    return {
      id: name,
      title: t(TITLES[name] ?? name),
      cell: (row: Row) => cellOf(name, row[index] ?? null, index === idAt),
      sortBy: (row: Row) => row[index] ?? null,
      look: looks.join(" ").trim(),
    };
  });
}

function cellOf(name: string, value: Cell, isId: boolean) {
  if (value === null || value === "") return <span class="dim">–</span>;
  if (name === "at" && typeof value === "string") return <RelativeTime at={value} />;
  if (isId) {
    return (
      <span class="mono" title={String(value)}>
        <Foreign text={shortId(String(value))} />
      </span>
    );
  }
  const isLevel = name === "from_level" || name === "to_level";
  if (isLevel && typeof value === "number" && value in LEVEL_NAMES) return levelWords(value);
  return <Foreign text={String(value)} limit={200} />;
}
