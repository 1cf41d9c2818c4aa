/**
 * The page of the gallery: the dashboard as it is, its WebSocket replaced by a host that plays example data.
 * `?play=stale&theme=light&screen=feed&id=…`.
 */
import { EXAMPLE_NOW } from "./example-data.ts";
import { PLAYS, playHost } from "./fake-host.ts";

const THEMES: Readonly<Record<string, readonly string[]>> = {
  dark: ["vscode-dark"],
  light: ["vscode-light"],
  "hc-dark": ["vscode-high-contrast"],
  "hc-light": ["vscode-high-contrast", "vscode-high-contrast-light"],
};

const wish = new URLSearchParams(location.search);
const play = PLAYS.find((name) => name === wish.get("play")) ?? "full";
document.body.classList.add(...(THEMES[wish.get("theme") ?? "dark"] ?? []), "vscode-reduce-motion");
if (wish.get("surface") !== null) document.body.dataset["surface"] = wish.get("surface")!;
const screen = wish.get("screen");
if (screen !== null) {
  const detail = wish.get("id") === null ? [] : [{ screen, id: wish.get("id") }];
  const main = { screen: detail.length > 0 ? (wish.get("main") ?? "overview") : screen };
  sessionStorage.setItem(
    "msg_sys.view",
    JSON.stringify({ version: 1, places: [main, ...detail], slots: {} }),
  );
}

// The clock stands at the instant of the example, so that pictures are alike.
const started = Date.now();
const real = Date.now.bind(Date);
Date.now = () => EXAMPLE_NOW + (wish.get("clock") === "runs" ? real() - started : 0);

class ExampleSocket extends EventTarget {
  private readonly host = playHost(play, (notice) => {
    queueMicrotask(() =>
      this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(notice) })),
    );
  });

  constructor() {
    super();
    queueMicrotask(() => this.dispatchEvent(new Event("open")));
    if (play === "stale") setTimeout(() => this.host.loseConnection(), 600);
    Object.assign(globalThis, { exampleHost: this.host });
  }

  send(text: string): void {
    this.host.receive(JSON.parse(text));
  }

  close(): void {}
}
Object.assign(globalThis, { WebSocket: ExampleSocket });

await import("../../../../webview/main.tsx");
document.title = "Example data";
