import type { TaskDetail } from "../../shared/control.ts";
import { now } from "../state/clock.ts";
import { type LevelStep, levelSteps } from "../state/timeline.ts";
import { RelativeTime } from "../ui/Duration.tsx";
import { t } from "../ui/text.ts";
import { By, levelWords, Reason } from "./TaskTimeline.tsx";

const WIDTH = 600;
const HEIGHT = 64;
const EDGE = 6;

/** A line of steps through the levels over time, in a box of WIDTH × HEIGHT. Pure. */
function stepPath(steps: readonly LevelStep[], top: number, bottom: number): string {
  const first = steps[0]?.at ?? 0;
  const span = Math.max(1, (steps.at(-1)?.at ?? 0) - first);
  const x = (at: number): string => (((at - first) / span) * WIDTH).toFixed(1);
  const y = (level: number): string =>
    (HEIGHT - EDGE - ((level - bottom) / Math.max(1, top - bottom)) * (HEIGHT - 2 * EDGE)).toFixed(
      1,
    );
  return steps
    .map(({ at, level }, index) =>
      index === 0 ? `M${x(at)} ${y(level)}` : `H${x(at)}V${y(level)}`,
    )
    .join("");
}

/** The level over time as a line, and below it each change with who and why. */
export function PriorityHistory(props: { task: TaskDetail }) {
  const { task } = props;
  const changes = task.priorityHistory;
  if (changes.length === 0) {
    return (
      <p class="dim">{t("It has always been {level}.", { level: levelWords(task.priority) })}</p>
    );
  }
  const steps = levelSteps(task, task.endedAt === null ? now.value : 0);
  const levels = steps.map(({ level }) => level);
  const top = Math.max(...levels);
  const bottom = Math.min(...levels);
  return (
    <>
      <div class="level-line" aria-hidden="true">
        <div class="level-scale dim tiny">
          <span>{levelWords(top)}</span>
          <span>{levelWords(bottom)}</span>
        </div>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path d={stepPath(steps, top, bottom)} />
        </svg>
      </div>
      <ul class="rows" aria-label={t("Changes of priority, the newest first")}>
        {changes.toReversed().map((change) => (
          <li class="row" key={`${change.at} ${change.to}`}>
            <span class="row-text wrap">
              <span class="strong">
                {change.from} → {levelWords(change.to)}
              </span>
              <By by={change.by} role={change.role} />
              <Reason reason={change.reason} />
            </span>
            <span class="dim nowrap">
              <RelativeTime at={change.at} />
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
