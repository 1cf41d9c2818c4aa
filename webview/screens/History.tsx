import { useEffect } from "preact/hooks";
import type { Address } from "../../shared/view/messages.ts";
import { useKept } from "../dashboard.ts";
import { isText } from "../state/prefs.ts";
import { Tabs } from "../ui/controls.tsx";
import { t } from "../ui/text.ts";
import "../styles/work.css";
import { AuditRows } from "./AuditRows.tsx";
import { PastTasks } from "./PastTasks.tsx";

const TABS = ["tasks", "priority", "refusals"] as const;
type Tab = (typeof TABS)[number];
const isTab = (value: unknown): value is Tab => TABS.some((tab) => tab === value);

/** The audit: every task there was, every change of priority, and what was refused to whom. */
export function History(props: { address: Address }) {
  const tab = useKept<Tab>("history.tab", "tasks", isTab);
  const filter = useKept("history.filter", "", isText);
  useEffect(() => {
    if (props.address.filter === undefined) return;
    filter.value = props.address.filter;
    tab.value = "tasks";
  }, [props.address.filter]);
  return (
    <div class="history">
      <h1 class="unseen">{t("History")}</h1>
      <Tabs
        label={t("Parts of the history")}
        tabs={[
          { id: "tasks", label: t("Tasks") },
          { id: "priority", label: t("Priority changes") },
          { id: "refusals", label: t("Refusals") },
        ]}
        selected={tab.value}
        onSelect={(next) => {
          tab.value = next;
        }}
      >
        {tab.value === "tasks" && <PastTasks filter={filter} />}
        {tab.value === "priority" && <AuditRows key="priority" query="priority" />}
        {tab.value === "refusals" && <AuditRows key="refusals" query="refusals" />}
      </Tabs>
    </div>
  );
}
