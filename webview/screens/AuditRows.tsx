import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
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
  const columns = useMemo(() => columnsOf(table, query), [table, query]);
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
      <div class="two-line audit-table">
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

function columnsOf({ columns }: Table, query: "priority" | "refusals"): Column<Row>[] {
  const read = (row: Row, name: string): Cell => row[columns.indexOf(name)] ?? null;
  const column = (
    id: string,
    title: string,
    look: string,
    cell: (row: Row) => ComponentChildren = (row) => <Word value={read(row, id)} />,
  ): Column<Row> => ({ id, title, cell, look, sortBy: (row) => read(row, id) });
  const when = column("at", t("When"), "nowrap cell-time", (row) => (
    <RelativeTime at={String(read(row, "at"))} />
  ));
  if (query === "refusals") {
    return [
      when,
      column("user", t("User"), "nowrap cell-name", (row) => (
        <>
          <Word value={read(row, "user")} /> <span class="dim">{read(row, "role")}</span>
        </>
      )),
      column("verb", t("Verb"), "nowrap cell-acts"),
      column("target", t("Task"), "nowrap cell-state", (row) => <Id value={read(row, "target")} />),
      column("what", t("Why"), "grow cell-note"),
    ];
  }
  return [
    when,
    column("task_id", t("Task"), "nowrap cell-name", (row) => <Id value={read(row, "task_id")} />),
    column("to_level", t("Change"), "nowrap cell-state", (row) => (
      <>
        {read(row, "from_level")} → {levelWords(Number(read(row, "to_level")))}
        {read(row, "action") === "undo" && <span class="dim"> {t("(undone)")}</span>}
      </>
    )),
    column("by", t("By"), "nowrap cell-level", (row) => (
      <>
        <Word value={read(row, "by")} /> <span class="dim">{read(row, "role")}</span>
      </>
    )),
    column("reason", t("Reason"), "grow cell-note"),
  ];
}

function Word(props: { value: Cell }) {
  const { value } = props;
  if (value === null || value === "") return <span class="dim">–</span>;
  return <Foreign text={String(value)} limit={200} />;
}

function Id(props: { value: Cell }) {
  const { value } = props;
  if (value === null || value === "") return <span class="dim">–</span>;
  return (
    <span class="mono" title={String(value)}>
      <Foreign text={shortId(String(value))} />
    </span>
  );
}
