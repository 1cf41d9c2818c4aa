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

const TRIES = 5;

export function createTree(page: Page, pane: Locator): Tree {
  const row = (text: string | RegExp): Locator =>
    pane.locator(".monaco-list-row[role=treeitem]").filter({ hasText: text }).first();

  // The menu of the window's title bar has entries of the same role.
  const entries = page.locator(".monaco-menu").getByRole("menuitem");
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
      const item = entries.and(page.getByRole("menuitem", { name: entry, exact: true }));
      await item.waitFor();
      // A menu that has just opened takes no click yet: VS Code fears it to be the end of the one that opened it.
      for (let attempt = 1; attempt <= TRIES && (await item.isVisible()); attempt += 1) {
        await item.click();
        // Ignored: it is clicked again then.
        await item.waitFor({ state: "hidden", timeout: 1000 }).catch(() => {});
      }
    },
    async menuEntries(text) {
      await row(text).click({ button: "right" });
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
