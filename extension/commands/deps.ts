import type { App } from "../app-context.ts";
import type { Views } from "../views/views.ts";
import type { Documents } from "./documents.ts";
import type { InputEditor } from "./input-editor.ts";

/** What commands work with. */
export interface CommandDeps {
  readonly app: App;
  readonly views: Views;
  readonly documents: Documents;
  readonly editor: InputEditor;
}
