import { LINE_LIMIT, plainForeign, readForeign } from "./foreign-text.ts";
import { exactCount } from "./format.ts";
import { t } from "./text.ts";

/**
 * A text of strangers: isolated, cut, its invisible characters shown by their codes. `lines` keeps its line breaks.
 * Everything that a task, a file, a user or an event brought goes through this.
 */
export function Foreign(props: { text: string; limit?: number; lines?: boolean; class?: string }) {
  const { text, limit = LINE_LIMIT, lines = false } = props;
  const { parts, cutOff } = readForeign(text, { limit, lines });
  const title = !lines && text.length > 40 ? plainForeign(text, 2000) : undefined;
  return (
    <bdi class={`foreign ${lines ? "lines" : ""} ${props.class ?? ""}`.trim()} title={title}>
      {parts.map((part, index) =>
        part.kind === "text" ? (
          part.text
        ) : (
          <span key={index} class="odd-char" title={t("An invisible character")}>
            {part.code}
          </span>
        ),
      )}
      {cutOff > 0 && (
        <span class="dim" title={t("{n} more characters", { n: exactCount(cutOff) })}>
          …
        </span>
      )}
    </bdi>
  );
}
