import type { BulkOutcome } from "../../shared/control.ts";
import { useDashboard } from "../dashboard.ts";
import { IconButton } from "../ui/controls.tsx";
import { Foreign } from "../ui/Foreign.tsx";
import { exactCount, shortId } from "../ui/format.ts";
import { Icon } from "../ui/Icon.tsx";
import { plural, t } from "../ui/text.ts";

/** What came of an act on several tasks: in one line, and for each that was refused why. */
export function BulkReportView(props: {
  words: string;
  outcome: BulkOutcome;
  onClose: () => void;
}) {
  const { router } = useDashboard();
  const { words, outcome, onClose } = props;
  const { refused, refusedCount } = outcome;
  const hidden = refusedCount - refused.length;
  return (
    <section
      class={`note report ${refusedCount > 0 ? "note-warn" : "note-info"}`}
      aria-label={t("What came of it")}
    >
      <Icon name={refusedCount > 0 ? "warning" : "pass"} tone={refusedCount > 0 ? "wait" : "ok"} />
      <div class="note-text">
        <p>
          <Foreign text={words} limit={600} />
        </p>
        {refusedCount > 0 && (
          <ul class="refusals">
            {refused.map(({ id, error }) => (
              <li key={id}>
                <button
                  type="button"
                  class="plain link mono"
                  title={id}
                  onClick={() => router.navigate({ screen: "task", id })}
                >
                  {shortId(id)}
                </button>{" "}
                <Foreign text={error.message} />
              </li>
            ))}
            {hidden > 0 && (
              <li class="dim">
                {plural(hidden, "and 1 more", "and {n} more", { n: exactCount(hidden) })}
              </li>
            )}
          </ul>
        )}
      </div>
      <IconButton icon="close" label={t("Close")} onClick={onClose} />
    </section>
  );
}
