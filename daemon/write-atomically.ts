import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";

/**
 * Puts `text` into `file` (mode 0600) so that a reader sees the old text or the new one, never half of it.
 * `durable` also waits for the disk: for files that are the truth, not for those that are rewritten each second.
 */
export async function writeAtomically(
  file: string,
  text: string,
  options: { readonly durable: boolean },
): Promise<void> {
  const draft = `${file}.${randomUUID()}.tmp`;
  try {
    const handle = await open(draft, "wx", 0o600);
    try {
      await handle.writeFile(text);
      if (options.durable) await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
