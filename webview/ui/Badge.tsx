import { bucketOf, LEVEL_NAMES } from "../../shared/priority.ts";
import { Icon } from "./Icon.tsx";
import { BUCKET_LOOKS, type Look, STATUS_LOOKS } from "./looks.ts";
import { t } from "./text.ts";
import { theme } from "./theme.ts";

/**
 * Shape, word and colour of a state. `word` replaces the table's, e.g. with "Retrying in 48 s"; `isPast` is for states
 * that are over, which do not turn.
 */
export function Badge(props: { look: Look; word?: string; iconOnly?: boolean; isPast?: boolean }) {
  const { look, iconOnly = false, isPast = false } = props;
  const word = props.word ?? t(look.word);
  // A wheel that stands still looks like "refresh".
  const isStill = isPast || theme.value.reduceMotion;
  const icon = isStill && look.icon === "sync" && look.tone === "run" ? "play-circle" : look.icon;
  const spin = look.spins === true && !isStill;
  if (iconOnly) {
    return (
      <span class="badge" title={word}>
        <Icon name={icon} tone={look.tone} spin={spin} label={word} />
      </span>
    );
  }
  return (
    <span class="badge">
      <Icon name={icon} tone={look.tone} spin={spin} />
      <span>{word}</span>
    </span>
  );
}

/** The state of a task, a phase or a run. */
export function StatusBadge(props: {
  status: keyof typeof STATUS_LOOKS;
  word?: string;
  iconOnly?: boolean;
}) {
  const { status, ...rest } = props;
  return <Badge look={STATUS_LOOKS[status]} {...rest} />;
}

/** A level with its number and name, e.g. "9 Urgent", and its bucket's arrow. */
export function LevelBadge(props: { level: number }) {
  const { level } = props;
  const name = LEVEL_NAMES[level];
  const word = name === undefined ? String(level) : `${level} ${t(name)}`;
  return <Badge look={BUCKET_LOOKS[bucketOf(level)]} word={word} />;
}

/** A count on a coloured pill, as VS Code's views have it. Nothing for 0. */
export function CountPill(props: { count: number; label: string }) {
  if (props.count === 0) return null;
  return (
    <span class="pill" title={props.label}>
      {props.count > 999 ? "999+" : props.count}
      <span class="unseen">{props.label}</span>
    </span>
  );
}
