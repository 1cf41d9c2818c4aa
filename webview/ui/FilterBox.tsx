import { useId, useMemo, useRef, useState } from "preact/hooks";
import { parseFilter, toggleTerm, writeTerm } from "../state/filter.ts";
import { plainForeign } from "./foreign-text.ts";
import { Icon } from "./Icon.tsx";
import { t } from "./text.ts";

export interface FilterKey {
  readonly key: string;
  /** What it means, beside the suggestion; translated already. */
  readonly meaning: string;
  /** Values that were seen, the likely ones first. */
  readonly values: () => readonly string[];
}

const MOST_SUGGESTIONS = 8;

/** What may complete the last word of a filter. Pure but for the values that the keys tell. */
export function suggest(
  text: string,
  keys: readonly FilterKey[],
): { readonly text: string; readonly label: string; readonly meaning: string }[] {
  const start = text.search(/\S*$/);
  const head = text.slice(0, start);
  const word = text.slice(start);
  const minus = word.startsWith("-") ? "-" : "";
  const bare = word.slice(minus.length);
  const colon = bare.indexOf(":");
  if (colon < 0) {
    return keys
      .filter(({ key }) => key.startsWith(bare.toLowerCase()))
      .map(({ key, meaning }) => ({
        text: `${head}${minus}${key}:`,
        label: `${minus}${key}:`,
        meaning,
      }))
      .slice(0, MOST_SUGGESTIONS);
  }
  const key = keys.find((candidate) => candidate.key === bare.slice(0, colon).toLowerCase());
  const begun = bare
    .slice(colon + 1)
    .replace(/^"/, "")
    .toLowerCase();
  return (key?.values() ?? [])
    .filter((value) => value.toLowerCase().includes(begun) && value.toLowerCase() !== begun)
    .slice(0, MOST_SUGGESTIONS)
    .map((value) => {
      const term = writeTerm({ key: key?.key ?? null, value, isNegated: minus !== "" });
      return { text: `${head}${term} `, label: plainForeign(term, 60), meaning: "" };
    });
}

/** A filter as text with suggestions below and its terms as buttons that take them away. `/` leads here. */
export function FilterBox(props: {
  label: string;
  value: string;
  onChange: (value: string) => void;
  keys: readonly FilterKey[];
  placeholder?: string;
}) {
  const { label, value, onChange, keys, placeholder } = props;
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const names = useMemo(() => keys.map(({ key }) => key), [keys]);
  const terms = parseFilter(value, names);
  const suggestions = isOpen ? suggest(value, keys) : [];

  function take(text: string): void {
    onChange(text);
    // A key wants its value next; after a value the list would only cover what was filtered.
    setOpen(text.endsWith(":"));
    setActive(-1);
    input.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    const chosen = suggestions[active];
    if (step !== 0 && suggestions.length > 0) {
      setActive((active + step + suggestions.length + 1) % (suggestions.length + 1));
      if (active + step >= suggestions.length || active + step < -1)
        setActive(step > 0 ? 0 : suggestions.length - 1);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen !== undefined)
      take(chosen.text);
    else if (event.key === "Escape" && isOpen && suggestions.length > 0) setOpen(false);
    else if (event.key === "Escape" && value !== "") onChange("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return (
    <div class="filter">
      <div class="filter-box">
        <Icon name="search" />
        <input
          ref={input}
          id={id}
          data-filter-box=""
          type="text"
          role="combobox"
          aria-label={label}
          aria-expanded={suggestions.length > 0}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
          autocomplete="off"
          spellcheck={false}
          value={value}
          placeholder={placeholder ?? t("Filter")}
          onInput={(event) => {
            onChange(event.currentTarget.value);
            setOpen(true);
            setActive(-1);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
        />
        {value !== "" && (
          <button
            type="button"
            class="icon-button"
            aria-label={t("Clear the filter")}
            title={t("Clear the filter")}
            onClick={() => take("")}
          >
            <Icon name="close" />
          </button>
        )}
        <div
          id={`${id}-list`}
          role="listbox"
          aria-label={t("Suggestions")}
          class={suggestions.length > 0 ? "filter-list" : "unseen"}
        >
          {suggestions.map((suggestion, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the focus stays in the box.
            <div
              key={suggestion.text}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              class="filter-option"
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => take(suggestion.text)}
            >
              <span class="mono">{suggestion.label}</span>
              <span class="dim">{suggestion.meaning}</span>
            </div>
          ))}
        </div>
      </div>
      {terms.length > 0 && (
        <ul class="chips" aria-label={t("Filters in use")}>
          {terms.map((term) => (
            <li key={writeTerm(term)}>
              <button
                type="button"
                class="chip"
                title={t("Remove this filter")}
                onClick={() => take(toggleTerm(value, names, term))}
              >
                {plainForeign(writeTerm(term), 60)}
                <Icon name="close" label={t("remove")} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
