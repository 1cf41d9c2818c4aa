/**
 * A layered layout of a small directed graph (up to some 40 nodes): columns by the longest path, rows by barycentre, so
 * that few edges cross. Pixels. Pure. An edge that closes a circle is drawn, but does not count for the columns.
 */
export interface Edge {
  readonly from: string;
  readonly to: string;
}

export interface LayoutOptions {
  readonly nodeWidthPx: number;
  readonly nodeHeightPx: number;
  /** Between columns, and between rows. */
  readonly columnGapPx: number;
  readonly rowGapPx: number;
  /** `down`: layers are rows, for narrow places. */
  readonly direction: "right" | "down";
}

export interface PlacedNode {
  readonly id: string;
  /** Longest path to it from a node without predecessors. */
  readonly layer: number;
  readonly xPx: number;
  readonly yPx: number;
}

export interface PlacedEdge extends Edge {
  /** An SVG path from border to border. */
  readonly path: string;
}

export interface Layout {
  /** Layer by layer, each from its first to its last place: the order for reading and for the Tab key. */
  readonly nodes: readonly PlacedNode[];
  readonly edges: readonly PlacedEdge[];
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A place in a layer: a node, or a bend of an edge that goes past it. */
interface Slot {
  readonly name: string;
  readonly layer: number;
  readonly isNode: boolean;
}

const SWEEPS = 4;

export function layoutGraph(
  ids: readonly string[],
  edges: readonly Edge[],
  options: LayoutOptions,
): Layout {
  const known = new Set(ids);
  const real = edges.filter(({ from, to }) => from !== to && known.has(from) && known.has(to));
  const layers = layersOf(ids, real);
  const { slots, links, bends } = withBends(ids, real, layers);
  const rows = ordered(slots, links);
  const place = placer(rows, options);
  const nodes = rows.flatMap((row) =>
    row
      .filter(({ isNode }) => isNode)
      .map(({ name, layer }) => ({ id: name, layer, ...place(name) })),
  );
  return {
    nodes,
    edges: real.map((edge) => ({ ...edge, path: pathOf(edge, bends, place, options) })),
    ...sizeOf(rows, options),
  };
}

/** The longest path to each node. Edges back to a node that is being visited are left out: they close a circle. */
function layersOf(ids: readonly string[], edges: readonly Edge[]): ReadonlyMap<string, number> {
  const before = Map.groupBy(edges, ({ to }) => to);
  const layers = new Map<string, number>();
  const visiting = new Set<string>();
  function layerOf(id: string): number {
    const known = layers.get(id);
    if (known !== undefined) return known;
    visiting.add(id);
    const open = (before.get(id) ?? []).filter(({ from }) => !visiting.has(from));
    const layer = Math.max(-1, ...open.map(({ from }) => layerOf(from))) + 1;
    visiting.delete(id);
    layers.set(id, layer);
    return layer;
  }
  for (const id of ids) layerOf(id);
  return layers;
}

function bendName({ from, to }: Edge, layer: number): string {
  return `${from}\u0000${to}\u0000${layer}`;
}

/** An edge over several layers gets a place in each between, so that it leads around what is there. */
function withBends(
  ids: readonly string[],
  edges: readonly Edge[],
  layers: ReadonlyMap<string, number>,
): { slots: Slot[]; links: Edge[]; bends: (edge: Edge) => readonly string[] } {
  const layerOf = (id: string): number => layers.get(id) ?? 0;
  const bends = (edge: Edge): readonly string[] => {
    const first = layerOf(edge.from) + 1;
    const count = Math.max(0, layerOf(edge.to) - first);
    return Array.from({ length: count }, (_, index) => bendName(edge, first + index));
  };
  const slots: Slot[] = ids.map((id) => ({ name: id, layer: layerOf(id), isNode: true }));
  const links: Edge[] = [];
  for (const edge of edges) {
    const way = [edge.from, ...bends(edge), edge.to];
    bends(edge).forEach((name, index) => {
      slots.push({ name, layer: layerOf(edge.from) + 1 + index, isNode: false });
    });
    for (let at = 1; at < way.length; at++) links.push({ from: way[at - 1]!, to: way[at]! });
  }
  return { slots, links, bends };
}

/** The slots of each layer in an order with few crossings. The order given decides between equals. */
function ordered(slots: readonly Slot[], links: readonly Edge[]): Slot[][] {
  const count = Math.max(0, ...slots.map(({ layer }) => layer + 1));
  const rows = Array.from({ length: count }, (_, layer) =>
    slots.filter((slot) => slot.layer === layer),
  );
  const into = Map.groupBy(links, ({ to }) => to);
  const outOf = Map.groupBy(links, ({ from }) => from);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForward = sweep % 2 === 0;
    for (let step = 1; step < rows.length; step++) {
      const layer = isForward ? step : rows.length - 1 - step;
      const beside = rows[isForward ? layer - 1 : layer + 1]!;
      const at = new Map(beside.map(({ name }, index) => [name, index]));
      const neighbours = (name: string): readonly string[] =>
        isForward
          ? (into.get(name) ?? []).map(({ from }) => from)
          : (outOf.get(name) ?? []).map(({ to }) => to);
      rows[layer] = byBarycentre(rows[layer]!, (name) =>
        neighbours(name).flatMap((other) => at.get(other) ?? []),
      );
    }
  }
  return rows;
}

function byBarycentre(row: readonly Slot[], places: (name: string) => readonly number[]): Slot[] {
  return row
    .map((slot, index) => {
      const found = places(slot.name);
      const sum = found.reduce((total, place) => total + place, 0);
      return { slot, weight: found.length === 0 ? index : sum / found.length };
    })
    .sort((a, b) => a.weight - b.weight)
    .map(({ slot }) => slot);
}

function stepsOf(options: LayoutOptions): { along: number; across: number } {
  const { nodeWidthPx, nodeHeightPx, columnGapPx, rowGapPx, direction } = options;
  return direction === "right"
    ? { along: nodeWidthPx + columnGapPx, across: nodeHeightPx + rowGapPx }
    : { along: nodeHeightPx + columnGapPx, across: nodeWidthPx + rowGapPx };
}

/** The upper left corner of each place; shorter layers are centred. */
function placer(rows: readonly (readonly Slot[])[], options: LayoutOptions) {
  const { along, across } = stepsOf(options);
  const longest = Math.max(0, ...rows.map((row) => row.length));
  const places = new Map<string, { xPx: number; yPx: number }>();
  rows.forEach((row, layer) => {
    row.forEach(({ name }, index) => {
      const a = layer * along;
      const b = (index + (longest - row.length) / 2) * across;
      places.set(name, options.direction === "right" ? { xPx: a, yPx: b } : { xPx: b, yPx: a });
    });
  });
  return (name: string): { xPx: number; yPx: number } => places.get(name) ?? { xPx: 0, yPx: 0 };
}

function sizeOf(rows: readonly (readonly Slot[])[], options: LayoutOptions) {
  const { along, across } = stepsOf(options);
  const { columnGapPx, rowGapPx, direction } = options;
  const longest = Math.max(0, ...rows.map((row) => row.length));
  const a = Math.max(0, rows.length * along - columnGapPx);
  const b = Math.max(0, longest * across - rowGapPx);
  return direction === "right" ? { widthPx: a, heightPx: b } : { widthPx: b, heightPx: a };
}

/** Smooth curves from the end of a node over the bends to the beginning of the next. */
function pathOf(
  edge: Edge,
  bends: (edge: Edge) => readonly string[],
  place: (name: string) => { xPx: number; yPx: number },
  { nodeWidthPx: w, nodeHeightPx: h, direction }: LayoutOptions,
): string {
  const isRight = direction === "right";
  const exit = ({ xPx, yPx }: { xPx: number; yPx: number }): [number, number] =>
    isRight ? [xPx + w, yPx + h / 2] : [xPx + w / 2, yPx + h];
  const entry = ({ xPx, yPx }: { xPx: number; yPx: number }): [number, number] =>
    isRight ? [xPx, yPx + h / 2] : [xPx + w / 2, yPx];
  let at = exit(place(edge.from));
  let path = `M${at[0]} ${at[1]}`;
  const curveTo = (to: [number, number]): void => {
    const middle = isRight ? (at[0] + to[0]) / 2 : (at[1] + to[1]) / 2;
    path += isRight
      ? `C${middle} ${at[1]} ${middle} ${to[1]} ${to[0]} ${to[1]}`
      : `C${at[0]} ${middle} ${to[0]} ${middle} ${to[0]} ${to[1]}`;
    at = to;
  };
  for (const bend of bends(edge)) {
    curveTo(entry(place(bend)));
    at = exit(place(bend));
    path += `L${at[0]} ${at[1]}`;
  }
  curveTo(entry(place(edge.to)));
  return path;
}
