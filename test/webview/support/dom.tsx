import { type Signal, signal } from "@preact/signals";
import { type ComponentChildren, render } from "preact";
import { act } from "preact/test-utils";
import type { ViewCommand, ViewNotice } from "../../../shared/view/messages.ts";
import { createDashboard, type Dashboard, DashboardContext } from "../../../webview/dashboard.ts";
import { createHost } from "../../../webview/host.ts";
import { setClock } from "../../../webview/state/clock.ts";
import type { Link, Transport } from "../../../webview/transport.ts";
import { EXAMPLE_NOW } from "./gallery/example-data.ts";
import { type Play, playHost } from "./gallery/fake-host.ts";

// happy-dom has no form-associated elements: the component library needs the shell of them.
HTMLElement.prototype.attachInternals ??= () =>
  ({
    setFormValue() {},
    setValidity() {},
    states: new Set(),
    form: null,
  }) as unknown as ElementInternals;

// Nor does it draw: a canvas takes every call and shows nothing.
const nothing = new Proxy({}, { get: () => () => ({ width: 0 }), set: () => true });
HTMLCanvasElement.prototype.getContext = (() => nothing) as never;
globalThis.Path2D ??= class {
  moveTo(): void {}
  lineTo(): void {}
  rect(): void {}
  addPath(): void {}
} as unknown as typeof Path2D;

export interface ExampleView {
  readonly dashboard: Dashboard;
  readonly root: HTMLElement;
  readonly host: ReturnType<typeof playHost>;
  readonly link: Signal<Link>;
  /** What the view sent, oldest first. */
  readonly sent: readonly ViewCommand[];
  readonly saved: () => unknown;
  show(content: ComponentChildren): Promise<void>;
  /** Sends a notice as the host would. */
  tell(notice: ViewNotice): Promise<void>;
  /** Lets promises, effects and renders come to rest. */
  settle(): Promise<void>;
  press(key: string, target?: EventTarget): Promise<boolean>;
  close(): void;
}

/** A dashboard in this document, with a host that plays example data at the example's instant. */
export function openExampleView(play: Play, kept: unknown = null): ExampleView {
  const root = document.createElement("div");
  document.body.append(root);
  setClock(EXAMPLE_NOW);
  const sent: ViewCommand[] = [];
  let saved = kept;
  let listener: (notice: ViewNotice) => void = () => {};
  const host = playHost(play, (notice) => listener(notice));
  const link = signal<Link>({ kind: "open" });
  const transport: Transport = {
    kind: "browser",
    link,
    send(command) {
      if (link.value.kind !== "open") return false;
      sent.push(command);
      queueMicrotask(() => host.receive(command));
      return true;
    },
    listen(to) {
      listener = to;
    },
    retryNow() {},
    readState: () => kept,
    saveState: (state) => {
      saved = state;
    },
  };
  const dashboard = createDashboard(createHost(transport), () => EXAMPLE_NOW);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 6; turn++)
      await act(() => new Promise<void>((done) => setImmediate(done)));
  };
  return {
    dashboard,
    root,
    host,
    link,
    sent,
    saved: () => saved,
    settle,
    async show(content) {
      await act(() =>
        render(
          <DashboardContext.Provider value={dashboard}>{content}</DashboardContext.Provider>,
          root,
        ),
      );
      await settle();
    },
    async tell(notice) {
      await act(() => listener(notice));
      await settle();
    },
    async press(key, target = document.activeElement ?? document.body) {
      const event = new KeyboardEvent("keydown", {
        key,
        bubbles: true,
        composed: true,
        cancelable: true,
      });
      await act(() => {
        target.dispatchEvent(event);
      });
      await settle();
      return event.defaultPrevented;
    },
    close() {
      render(null, root);
      root.remove();
      dashboard.stop();
    },
  };
}
