const WIDTH = 72;
const HEIGHT = 20;
/** Room for the stroke and the dot at the end. */
const EDGE = 2;

/** Lines through the values that are there; what nobody measured is a gap. Null when there is nothing to draw. Pure. */
function sparkPath(
  values: readonly (number | null)[],
): { d: string; end: [number, number] } | null {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const top = Math.max(...known, 1);
  const x = (index: number): number => EDGE + (index / (values.length - 1)) * (WIDTH - 2 * EDGE);
  const y = (value: number): number => HEIGHT - EDGE - (value / top) * (HEIGHT - 2 * EDGE);
  let d = "";
  let end: [number, number] = [0, 0];
  values.forEach((value, index) => {
    if (value === null) return;
    const isStart = index === 0 || values[index - 1] === null;
    end = [x(index), y(value)];
    d += `${isStart ? "M" : "L"}${end[0].toFixed(1)} ${end[1].toFixed(1)}`;
  });
  return { d, end };
}

/** A line of a word's size from zero up; says nothing to screen readers, the number beside it does. */
export function Sparkline(props: { values: readonly (number | null)[]; token?: string }) {
  const path = sparkPath(props.values);
  if (path === null) return <span class="spark" />;
  return (
    <svg
      class={`spark series-${props.token ?? "normal"}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden="true"
    >
      <path d={path.d} />
      <circle cx={path.end[0]} cy={path.end[1]} r="2" />
    </svg>
  );
}
