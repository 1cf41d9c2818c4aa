import { Checkbox } from "./controls.tsx";
import { Modal } from "./Modal.tsx";
import { key, t } from "./text.ts";

const KEYS: readonly (readonly [string, string])[] = [
  ["1 – 9", key("Go to a screen")],
  ["/", key("Filter")],
  ["Space", key("Pause and resume the live feed; tick a row of a table")],
  ["End", key("Follow the live feed again")],
  ["j  k  ↓  ↑", key("From row to row")],
  ["Enter", key("Open the row")],
  ["Esc", key("Back, with the focus where it was")],
  ["e", key("Prioritize the task")],
  ["r", key("Redrive the dead letter")],
  ["l", key("Switch live data on and off")],
  ["?", key("This help")],
];

/** The keys, and a switch for those of a single letter. */
export function HelpOverlay(props: {
  letters: boolean;
  onLetters: (on: boolean) => void;
  onClose: () => void;
}) {
  return (
    <Modal title={t("Keyboard")} onClose={props.onClose} class="help">
      <table class="keys">
        <tbody>
          {KEYS.map(([name, meaning]) => (
            <tr key={name}>
              <th scope="row">
                <kbd>{name}</kbd>
              </th>
              <td>{t(meaning)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Checkbox
        label={t("Keys without Ctrl or Alt work outside of text fields")}
        checked={props.letters}
        onChange={props.onLetters}
      />
    </Modal>
  );
}
