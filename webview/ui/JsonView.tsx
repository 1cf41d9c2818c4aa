import { useMemo, useState } from "preact/hooks";
import { Button } from "./controls.tsx";
import { Foreign } from "./Foreign.tsx";
import { exactCount, formatBytes } from "./format.ts";
import { type JsonNode, readJson } from "./json-text.ts";
import { plural, t } from "./text.ts";

/** Longer texts are shown as text, a piece at a time: a tree of them would freeze the view. */
const TREE_LIMIT = 256 * 1024;
const PIECE = 20_000;
/** Members of an object or list that are shown at once. */
const MEMBERS = 100;
/** Levels that are open at first. */
const OPEN_LEVELS = 2;

export interface JsonViewProps {
  readonly text: string;
  /** What it is, for screen readers. */
  readonly label: string;
  readonly onCopy: (text: string) => void;
  /** Absent: the host cannot open it elsewhere. */
  readonly onOpen?: ((text: string) => void) | undefined;
}

/** JSON as a tree that opens and closes, its numbers exactly as written. What is no JSON, or long, is shown as text. */
export function JsonView(props: JsonViewProps) {
  const { text, label, onCopy, onOpen } = props;
  const tree = useMemo(() => (text.length > TREE_LIMIT ? null : readJson(text)), [text]);
  return (
    <section class="json" aria-label={label}>
      <div class="json-tools">
        <span class="dim tiny">{formatBytes(new Blob([text]).size)}</span>
        <span class="spacer" />
        <Button icon="copy" onClick={() => onCopy(text)}>
          {t("Copy")}
        </Button>
        {onOpen !== undefined && (
          <Button icon="go-to-file" onClick={() => onOpen(text)}>
            {t("Open in editor")}
          </Button>
        )}
      </div>
      {tree === null ? (
        <LongText text={text} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
        <section class="json-tree mono" tabIndex={0} aria-label={t("{label} as a tree", { label })}>
          <Node node={tree} level={0} />
        </section>
      )}
    </section>
  );
}

/** A text as it is, from its beginning, more when asked. */
export function LongText(props: { text: string }) {
  const { text } = props;
  const [shown, setShown] = useState(PIECE);
  const left = text.length - shown;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <pre class="long-text" tabIndex={0}>
        <Foreign text={text.slice(0, shown)} limit={Number.MAX_SAFE_INTEGER} lines />
      </pre>
      {left > 0 && (
        <p class="long-more">
          <span class="dim">
            {t("Shows the first {shown} of {all} characters.", {
              shown: exactCount(shown),
              all: exactCount(text.length),
            })}
          </span>
          <Button onClick={() => setShown(shown + PIECE * 10)}>{t("Show more")}</Button>
        </p>
      )}
    </>
  );
}

function Node(props: { node: JsonNode; level: number }) {
  const { node, level } = props;
  switch (node.kind) {
    case "string":
      return (
        <span class="json-string">
          "<Foreign text={node.value} limit={2000} lines />"
        </span>
      );
    case "word":
      return <span class="json-word">{node.text}</span>;
    case "array":
      return <Members open="[" close="]" level={level} members={node.items.map((n) => ["", n])} />;
    case "object":
      return <Members open="{" close="}" level={level} members={node.entries} />;
    default:
      return node satisfies never;
  }
}

function Members(props: {
  open: string;
  close: string;
  level: number;
  members: readonly (readonly [string, JsonNode])[];
}) {
  const { open, close, level, members } = props;
  const [isOpen, setOpen] = useState(level < OPEN_LEVELS);
  const [shown, setShown] = useState(MEMBERS);
  if (members.length === 0) return <span class="dim">{open + close}</span>;
  const left = members.length - shown;
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {open}
        {!isOpen && <span class="dim"> {plural(members.length, "1 member", "{n} members")} </span>}
        {!isOpen && close}
      </summary>
      {isOpen && (
        <>
          <ul class="json-members">
            {members.slice(0, shown).map(([name, node], index) => (
              // A name may stand twice, and nothing moves: the place is the key.
              <li key={index}>
                {open === "{" && (
                  <>
                    <span class="json-key">
                      <Foreign text={name} />
                    </span>
                    {": "}
                  </>
                )}
                <Node node={node} level={level + 1} />
              </li>
            ))}
            {left > 0 && (
              <li>
                <button type="button" class="plain link" onClick={() => setShown(shown + MEMBERS)}>
                  {plural(left, "1 more", "{n} more")}
                </button>
              </li>
            )}
          </ul>
          <span>{close}</span>
        </>
      )}
    </details>
  );
}
