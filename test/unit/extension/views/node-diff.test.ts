import { expect, test } from "vitest";
import { diffNodes, type NodeView } from "../../../../extension/views/node.ts";

function aNode(key: string, children: readonly NodeView[] | null = [], label = key): NodeView {
  return {
    key,
    target: { kind: "task", id: key },
    label,
    description: "",
    icon: { id: "pass", color: null },
    contextValue: "",
    accessibility: label,
    collapsible: "none",
    tooltip: null,
    command: null,
    children,
  };
}
const many = (n: number, label?: string): NodeView[] =>
  Array.from({ length: n }, (_, at) =>
    aNode(`t${at}`, [], label === undefined ? undefined : label + at),
  );

test("nothing is drawn anew when nothing differs", () => {
  const tree = () => [aNode("a", [aNode("b")])];
  expect(diffNodes(tree(), tree())).toEqual({ keys: [] });
});

test("a node that changed is drawn alone, not those beside or above it", () => {
  const old = [aNode("a", [aNode("b"), aNode("c")])];
  expect(diffNodes(old, [aNode("a", [aNode("b"), aNode("c", [], "new")])])).toEqual({
    keys: ["c"],
  });
});

test("a node whose children came, went or moved is drawn with them, and they are not named again", () => {
  const old = [aNode("a", [aNode("b"), aNode("c")]), aNode("z")];
  const moved = [aNode("a", [aNode("c", [], "new"), aNode("b")]), aNode("z")];
  expect(diffNodes(old, moved)).toEqual({ keys: ["a"] });
});

test("many changed children are drawn with their parent at once", () => {
  expect(diffNodes([aNode("a", many(50))], [aNode("a", many(50, "new"))])).toEqual({ keys: ["a"] });
});

test("all of it is drawn when a root comes or goes", () => {
  expect(diffNodes([aNode("a")], [aNode("a"), aNode("b")])).toEqual({ all: true });
});

test("children that are asked for when opened are no change", () => {
  expect(diffNodes([aNode("a", null)], [aNode("a", null)])).toEqual({ keys: [] });
});

test("a node that goes from one parent to another has all drawn anew, because it is selected perhaps", () => {
  const old = [aNode("a", [aNode("x"), aNode("y")]), aNode("b", [])];
  const moved = [aNode("a", [aNode("y")]), aNode("b", [aNode("x")])];
  expect(diffNodes(old, moved)).toEqual({ all: true });
});
