import type { Signal } from "@preact/signals";
import { useId } from "preact/hooks";

/** A day, chosen by the browser's own calendar. Empty: any. */
export function DateField(props: { label: string; value: Signal<string> }) {
  const id = useId();
  const { label, value } = props;
  return (
    <span class="date-field">
      <label class="dim" for={id}>
        {label}
      </label>
      <input
        id={id}
        type="date"
        class="select"
        value={value.value}
        onInput={(event) => {
          value.value = event.currentTarget.value;
        }}
      />
    </span>
  );
}
