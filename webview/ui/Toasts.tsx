import type { Dialogs } from "../state/dialogs.ts";
import { IconButton } from "./controls.tsx";
import { Foreign } from "./Foreign.tsx";
import { Icon } from "./Icon.tsx";
import { t } from "./text.ts";

const ICONS = { ok: "pass", bad: "error", info: "info" } as const;
const TONES = { ok: "ok", bad: "bad", info: "plain" } as const;

/** What came of acts, above the footer. Said politely; what went wrong at once. */
export function Toasts(props: { dialogs: Dialogs }) {
  const { toasts, dismiss } = props.dialogs;
  return (
    <div class="toasts" role="status">
      {toasts.value.map((toast) => (
        <div class="toast" key={toast.id} role={toast.tone === "bad" ? "alert" : undefined}>
          <Icon name={ICONS[toast.tone]} tone={TONES[toast.tone]} />
          <div class="toast-text">
            <Foreign text={toast.text} limit={400} />
            {toast.hint !== "" && (
              <span class="dim">
                {" "}
                <Foreign text={toast.hint} limit={400} />
              </span>
            )}
          </div>
          <IconButton icon="close" label={t("Close")} onClick={() => dismiss(toast.id)} />
        </div>
      ))}
    </div>
  );
}
