import { useDashboard } from "../dashboard.ts";
import { now } from "../state/clock.ts";
import { type BandCell, uptimeOf } from "../state/connection.ts";
import { formatDuration, formatShare } from "../ui/format.ts";
import { key, plural, t } from "../ui/text.ts";

const BAND_CELL_PX = 8;
const BAND_PX = 16;
/** Read from the oldest on, for screen readers and as a legend. */
const BAND_WORDS: Readonly<Record<BandCell, string>> = {
  up: key("connected"),
  partly: key("partly connected"),
  down: key("not connected"),
  unknown: key("not known"),
};

/** The last day as a row of shapes: full, half, cross, dot. */
export function UptimeBand() {
  const { connection } = useDashboard();
  // Once a minute is often enough for a band of half hours.
  const minute = Math.floor(now.value / 60_000) * 60_000 + 60_000;
  const { cells, share, drops, longestDownMs } = uptimeOf(connection.history.value, minute);
  const words = [
    share === null
      ? t("Nothing is known yet.")
      : t("connected {share}", { share: formatShare(share) }),
    plural(drops, "1 drop", "{n} drops"),
    ...(longestDownMs > 0 ? [t("longest {time}", { time: formatDuration(longestDownMs) })] : []),
  ].join(" · ");
  const seen = (Object.keys(BAND_WORDS) as BandCell[]).filter((cell) => cells.includes(cell));
  return (
    <section class="panel" aria-label={t("Last 24 hours")}>
      <header class="panel-head">
        <h2>{t("Last 24 hours")}</h2>
        <span class="dim">{words}</span>
      </header>
      <svg
        class="band"
        viewBox={`0 0 ${cells.length * BAND_CELL_PX} ${BAND_PX}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t("Connection in the last 24 hours: {words}", { words })}
      >
        {cells.map((cell, index) => (
          <BandShape key={`${index}${cell}`} cell={cell} x={index * BAND_CELL_PX} />
        ))}
      </svg>
      <ul class="legend" aria-hidden="true">
        {seen.map((cell) => (
          <li key={cell}>
            <svg width={BAND_CELL_PX} height={BAND_PX} class="band-key" aria-hidden="true">
              <BandShape cell={cell} x={0} />
            </svg>
            {t(BAND_WORDS[cell])}
          </li>
        ))}
      </ul>
    </section>
  );
}

function BandShape(props: { cell: BandCell; x: number }) {
  const { cell, x } = props;
  const width = BAND_CELL_PX - 1;
  switch (cell) {
    case "up":
      return <rect class="band-up" x={x} y={0} width={width} height={BAND_PX} />;
    case "partly":
      return <rect class="band-partly" x={x} y={BAND_PX / 2} width={width} height={BAND_PX / 2} />;
    case "down":
      return <path class="band-down" d={`M${x + 1} 4l5 8M${x + 6} 4l-5 8`} />;
    case "unknown":
      return <circle class="band-unknown" cx={x + width / 2} cy={BAND_PX / 2} r={1} />;
    default:
      return cell satisfies never;
  }
}
