import { registerHooks } from "node:module";
import { entryUrl, SDK_SOURCE } from "./entry.ts";

/**
 * From now on `msg-sys` means this program's own SDK in what this process imports, so that authors need no installation;
 * a workspace that installed another one keeps it.
 */
export function resolveSdk(): void {
  const own = { url: entryUrl("sdk").href, shortCircuit: true };
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier !== "msg-sys") return nextResolve(specifier, context);
      try {
        const found = nextResolve(specifier, context);
        // Inside this package its name means the source, which a process of the bundle would load beside its own copy.
        return found.url === SDK_SOURCE.href ? own : found;
      } catch {
        // Ignored: the workspace has no SDK of its own, which is the usual case.
        return own;
      }
    },
  });
}
