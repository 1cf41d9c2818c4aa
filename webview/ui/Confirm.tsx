import { useState } from "preact/hooks";
import type { Asked } from "../state/dialogs.ts";
import { Button, TextField } from "./controls.tsx";
import { Modal } from "./Modal.tsx";
import { t } from "./text.ts";

/** As long as the daemon takes it. */
const LONGEST_REASON = 1000;

/** Asks before something is done, and why where that is kept. */
export function Confirm(props: { asked: Asked }) {
  const { question, answer } = props.asked;
  const [reason, setReason] = useState("");
  const given = reason.trim();
  const why =
    question.reason === "required" && given === ""
      ? t("A reason is needed: it stands in the history.")
      : given.length > LONGEST_REASON
        ? t("The reason is too long.")
        : undefined;
  const confirm = (): void => {
    if (why === undefined) answer({ reason: given });
  };
  return (
    <Modal title={question.title} onClose={() => answer(null)} class="confirm">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          confirm();
        }}
        onKeyDown={(event) => {
          // The field is inside a custom element: the form does not hear its Enter by itself.
          if (event.key === "Enter" && (event.target as Element).localName === "vscode-textfield")
            confirm();
        }}
      >
        {question.body !== undefined && <div class="confirm-body">{question.body}</div>}
        {question.reason !== "none" && (
          <TextField
            label={question.reason === "required" ? t("Reason") : t("Reason (optional)")}
            value={reason}
            onInput={setReason}
            invalid={given.length > LONGEST_REASON}
            autofocus
          />
        )}
        {why !== undefined && question.reason !== "none" && <p class="dim small">{why}</p>}
        <div class="confirm-buttons">
          <Button onClick={() => answer(null)}>{t("Cancel")}</Button>
          <Button kind="primary" onClick={confirm} disabled={why !== undefined} why={why}>
            {question.confirm}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
