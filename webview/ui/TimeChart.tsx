import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { exactCount, formatClock } from "./format.ts";
import { t } from "./text.ts";
import { isHighContrast, readToken, theme } from "./theme.ts";

export interface Series {
  readonly label: string;
  /** Null: nobody measured; drawn as a gap. */
  readonly values: readonly (number | null)[];
  /** The token of its colour: the same series has the same one everywhere. */
  readonly token: `--${string}`;
  /** Told apart without colour; empty: a solid line. */
  readonly dash: readonly number[];
}

export interface TimeChartProps {
  /** What rose or fell, in a sentence: all that a screen reader gets, besides the table. */
  readonly summary: string;
  /** Epoch ms of each value. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly unit: string;
  readonly heightPx?: number;
}

const HEIGHT_PX = 160;
/** A labelled time needs so much room. */
const TIME_PX = 70;

/** Lines over time, with a table of the same numbers. The canvas is built anew when the theme changes. */
export function TimeChart(props: TimeChartProps) {
  const [isTable, setTable] = useState(false);
  return (
    <div class="chart">
      {isTable ? <ChartTable {...props} /> : <Canvas {...props} />}
      <div class="chart-foot">
        <ul class="legend">
          {props.series.map((series) => (
            <li key={series.label}>
              <svg
                width="24"
                height="8"
                aria-hidden="true"
                class={`legend-line series-${series.token.replace("--s-", "")}`}
              >
                <line x1="0" y1="4" x2="24" y2="4" stroke-dasharray={series.dash.join(" ")} />
              </svg>
              {series.label}
            </li>
          ))}
        </ul>
        <button type="button" class="plain link small" onClick={() => setTable(!isTable)}>
          {isTable ? t("Show as chart") : t("Show as table")}
        </button>
      </div>
    </div>
  );
}

function Canvas(props: TimeChartProps) {
  const { summary, times, series, heightPx = HEIGHT_PX } = props;
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const look = theme.value.version;
  const shape = series.map(({ label, token }) => `${label} ${token}`).join();
  const data = [
    times.map((at) => at / 1000),
    ...series.map(({ values }) => [...values]),
  ] as uPlot.AlignedData;
  const newest = useRef(data);
  newest.current = data;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(
      chartOptions(props, element.clientWidth, heightPx),
      newest.current,
      element,
    );
    chart.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: heightPx });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [look, shape, heightPx]);
  useEffect(() => chart.current?.setData(data));
  return <div ref={box} class="chart-canvas" role="img" aria-label={summary} />;
}

function chartOptions(props: TimeChartProps, width: number, height: number): uPlot.Options {
  const line = readToken("--line");
  const dim = readToken("--fg-dim");
  const lineWidth = isHighContrast.peek() ? 2 : 1.5;
  const font = `11px ${readToken("--font")}`;
  const axis = { stroke: dim, font, ticks: { show: false }, grid: { stroke: line, width: 1 } };
  return {
    width: Math.max(width, 100),
    height,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, __, top) => [0, Math.max(4, top * 1.1)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: TIME_PX,
        size: 24,
        values: (_, ticks) => ticks.map((seconds) => formatClock(seconds * 1000).slice(0, 5)),
      },
      {
        ...axis,
        size: 48,
        incrs: [
          1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000,
        ],
        values: (_, ticks) => ticks.map((value) => exactCount(value)),
      },
    ],
    series: [
      {},
      ...props.series.map((series) => ({
        label: series.label,
        stroke: readToken(series.token),
        width: lineWidth,
        dash: series.dash.map((length) => length * lineWidth),
        points: { show: false },
        spanGaps: false,
      })),
    ],
  };
}

function ChartTable(props: TimeChartProps) {
  const { times, series, unit, summary } = props;
  const rows = times.map((at, index) => ({
    at,
    values: series.map(({ values }) => values[index] ?? null),
  }));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
    <section class="chart-table" tabIndex={0} aria-label={summary}>
      <table class="data-table">
        <caption class="unseen">{unit}</caption>
        <thead>
          <tr>
            <th scope="col">{t("Time")}</th>
            {series.map(({ label }) => (
              <th scope="col" class="num" key={label}>
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.reverse().map((row) => (
            <tr key={row.at}>
              <th scope="row">{formatClock(row.at)}</th>
              {row.values.map((value, index) => (
                <td class="num" key={series[index]?.label}>
                  {value === null ? "–" : exactCount(value)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
