import type { Locator, Page } from "playwright-core";

/** One tree of the side bar. */
export interface Tree {
  readonly pane: Locator;
  /** The row that has this text. */
  row(text: string | RegExp): Locator;
  /** The texts of all rows that are drawn, from the top. */
  texts(): Promise<string[]>;
  expand(text: string | RegExp): Promise<void>;
  /** Right-click, then the entry of this name. */
  menu(text: string | RegExp, entry: string): Promise<void>;
  /** The names of the entries of a row's context menu. */
  menuEntries(text: string | RegExp): Promise<string[]>;
  /** An action on the row itself. */
  inline(text: string | RegExp, name: string): Promise<void>;
  /** An action of the view's title. */
  action(name: string): Promise<void>;
}

export function createTree(page: Page, pane: Locator): Tree {
  const row = (text: string | RegExp): Locator =>
    pane.locator(".monaco-list-row[role=treeitem]").filter({ hasText: text }).first();

  return {
    pane,
    row,
    texts: () => pane.locator(".monaco-list-row[role=treeitem]").allInnerTexts(),
    async expand(text) {
      const at = row(text);
      await at.waitFor();
      if ((await at.getAttribute("aria-expanded")) === "false")
        await at.locator(".monaco-tl-twistie").click();
    },
    async menu(text, entry) {
      await row(text).click({ button: "right" });
      await page.getByRole("menuitem", { name: entry, exact: true }).click();
    },
    async menuEntries(text) {
      await row(text).click({ button: "right" });
      const entries = page.getByRole("menuitem");
      await entries.first().waitFor();
      const names = await entries.allInnerTexts();
      await page.keyboard.press("Escape");
      // It fades away, and would take the next click.
      await entries.first().waitFor({ state: "hidden" });
      return names.map((name) => name.trim()).filter((name) => name !== "");
    },
    async inline(text, name) {
      await row(text).hover();
      await row(text).getByRole("button", { name }).click();
    },
    async action(name) {
      await pane.locator(".pane-header").hover();
      await pane.locator(".pane-header").getByRole("button", { name }).click();
    },
  };
}
