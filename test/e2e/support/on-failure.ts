import { afterEach } from "vitest";
import { openWindows } from "../pages/workbench.ts";

/** What every window showed when a test failed; `MSGSYS_E2E_SHOTS` names where it goes. */
afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  const name = task.name.replace(/[^\w]+/g, "-").slice(0, 60);
  for (const [index, window] of openWindows().entries())
    await window.shot(`failed/${name}-${index + 1}`);
});
