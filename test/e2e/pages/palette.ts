import type { Locator, Page } from "playwright-core";

/** The command palette, and the quick picks and input boxes that commands show in its place. */
export interface Palette {
  /** Runs the command of exactly this name, e.g. `msg_sys: Start Daemon`. */
  run(command: string): Promise<void>;
  /** The names of the commands that a search finds. */
  search(text: string): Promise<string[]>;
  /** The box that shows now. */
  readonly box: Locator;
  readonly input: Locator;
  /** Takes the row whose name begins with these words. */
  pick(name: string | RegExp): Promise<void>;
  /** Fills a quick pick and takes the row that it makes of the text. */
  typed(text: string): Promise<void>;
  /** Fills an input box and presses Enter. */
  enter(text: string): Promise<void>;
}

const TRIES = 5;

export function createPalette(page: Page): Palette {
  const box = page.locator(".quick-input-widget");
  const input = box.locator(".quick-input-box input");

  async function open(text: string): Promise<void> {
    await page.keyboard.press("Escape");
    await page.keyboard.press("F1");
    await input.waitFor();
    await input.fill(`>${text}`);
  }

  /** The exact row, clicked: Enter would take whichever row ranks first at that moment. */
  async function tryRun(command: string): Promise<void> {
    await open(command);
    const row = box.getByRole("option", { name: exactly(command) }).first();
    await row.click({ timeout: 5000 });
  }

  return {
    box,
    input,
    async run(command) {
      for (let attempt = 1; ; attempt += 1)
        try {
          await tryRun(command);
          return;
        } catch (error) {
          // A view that takes the focus closes the palette.
          if (attempt === TRIES) throw error;
        }
    },
    async search(text) {
      await open(text);
      const rows = box.getByRole("option");
      await rows.first().waitFor();
      const names = await rows.evaluateAll((found) =>
        found.map((row) => row.getAttribute("aria-label") ?? ""),
      );
      await page.keyboard.press("Escape");
      return names;
    },
    async pick(name) {
      const pattern = typeof name === "string" ? new RegExp(`^${escaped(name)}`) : name;
      await box.getByRole("option", { name: pattern }).first().click();
    },
    async typed(text) {
      await input.waitFor();
      await input.fill(text);
      await box.getByRole("option", { name: text }).first().click();
    },
    async enter(text) {
      await input.waitFor();
      await input.fill(text);
      await page.keyboard.press("Enter");
    },
  };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The name as it stands, with or without a key binding behind it. */
function exactly(name: string): RegExp {
  return new RegExp(`^${escaped(name)}(, .*)?$`);
}
