import { render } from "preact";
import { expect, it } from "vitest";

it("renders", () => {
  const root = document.createElement("div");
  render(<p>hello</p>, root);
  expect(root.textContent).toBe("hello");
});
