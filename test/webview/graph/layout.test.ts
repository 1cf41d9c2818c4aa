import { expect, test } from "vitest";
import { type Edge, type Layout, layoutGraph } from "../../../webview/graph/layout.ts";

const SIZE = {
  nodeWidthPx: 100,
  nodeHeightPx: 40,
  columnGapPx: 50,
  rowGapPx: 20,
  direction: "right",
} as const;

function edges(...pairs: readonly string[]): Edge[] {
  return pairs.map((pair) => ({ from: pair[0]!, to: pair[1]! }));
}

function layersIn({ nodes }: Layout): Record<string, number> {
  return Object.fromEntries(nodes.map(({ id, layer }) => [id, layer]));
}

function crossings(layout: Layout, all: readonly Edge[]): number {
  const y = new Map(layout.nodes.map(({ id, yPx }) => [id, yPx]));
  let count = 0;
  for (const one of all)
    for (const other of all) {
      const before = y.get(one.from)! - y.get(other.from)!;
      const after = y.get(one.to)! - y.get(other.to)!;
      if (before < 0 && after > 0) count += 1;
    }
  return count;
}

test("a chain is one row, each node after the one before", () => {
  const layout = layoutGraph(["a", "b", "c"], edges("ab", "bc"), SIZE);
  expect(layout.nodes).toEqual([
    { id: "a", layer: 0, xPx: 0, yPx: 0 },
    { id: "b", layer: 1, xPx: 150, yPx: 0 },
    { id: "c", layer: 2, xPx: 300, yPx: 0 },
  ]);
  expect(layout).toMatchObject({ widthPx: 400, heightPx: 40 });
  expect(layout.edges[0]).toEqual({ from: "a", to: "b", path: "M100 20C125 20 125 20 150 20" });
});

test("downwards the layers are rows", () => {
  const layout = layoutGraph(["a", "b"], edges("ab"), { ...SIZE, direction: "down" });
  expect(layout.nodes.map(({ xPx, yPx }) => [xPx, yPx])).toEqual([
    [0, 0],
    [0, 90],
  ]);
  expect(layout).toMatchObject({ widthPx: 100, heightPx: 130 });
});

test("a node stands after the longest way to it", () => {
  const layout = layoutGraph(["a", "b", "c", "d"], edges("ab", "bc", "cd", "ad"), SIZE);
  expect(layersIn(layout)).toEqual({ a: 0, b: 1, c: 2, d: 3 });
});

test("an edge over several layers leads around the nodes between", () => {
  const layout = layoutGraph(["a", "b", "c"], edges("ab", "bc", "ac"), SIZE);
  const b = layout.nodes.find(({ id }) => id === "b")!;
  const long = layout.edges.find(({ from, to }) => from === "a" && to === "c")!;
  // At the layer of b it runs straight, in the other row.
  const [, bendY] = /C[\d. ]+ ([\d.]+)L/.exec(long.path)!;
  expect(Math.abs(Number(bendY) - (b.yPx + 20))).toBeGreaterThanOrEqual(40);
});

test("edges cross no more than they must", () => {
  const all = edges("ax", "by", "cz", "xq", "yp");
  const layout = layoutGraph(["a", "b", "c", "z", "y", "x", "p", "q"], all, SIZE);
  expect(crossings(layout, all)).toBe(0);
});

test("a circle has an end, and all its edges", () => {
  const layout = layoutGraph(["a", "b", "c"], edges("ab", "bc", "ca"), SIZE);
  expect(layout.nodes).toHaveLength(3);
  expect(layout.edges).toHaveLength(3);
});

test("edges to unknown nodes, and to itself, are left out", () => {
  expect(layoutGraph(["a"], edges("ab", "aa"), SIZE).edges).toEqual([]);
});

test("nodes never overlap, forty of them neither", () => {
  const ids = Array.from({ length: 40 }, (_, n) => `n${n}`);
  const all = ids.flatMap((from, n) =>
    [2 * n + 1, 2 * n + 2, 3 * n + 5].filter((to) => to < 40).map((to) => ({ from, to: ids[to]! })),
  );
  const { nodes } = layoutGraph(ids, all, SIZE);
  const places = nodes.map(({ xPx, yPx }) => ({ xPx, yPx }));
  for (const [at, one] of places.entries())
    for (const other of places.slice(at + 1)) {
      const isApart = Math.abs(one.xPx - other.xPx) >= 150 || Math.abs(one.yPx - other.yPx) >= 60;
      expect(isApart).toBe(true);
    }
});

test("nothing has no size", () => {
  expect(layoutGraph([], [], SIZE)).toEqual({ nodes: [], edges: [], widthPx: 0, heightPx: 0 });
});
