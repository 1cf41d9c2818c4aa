import { computed, type ReadonlySignal, signal } from "@preact/signals";

export type ThemeKind = "dark" | "light" | "hc-dark" | "hc-light";

/** The look that VS Code (or, in a browser, the system) asks for. `version` grows when any colour may have changed. */
export interface Theme {
  readonly kind: ThemeKind;
  readonly reduceMotion: boolean;
  readonly screenReader: boolean;
  readonly version: number;
}

const current = signal<Theme>({
  kind: "dark",
  reduceMotion: false,
  screenReader: false,
  version: 0,
});
export const theme: ReadonlySignal<Theme> = current;
export const isHighContrast = computed(() => current.value.kind.startsWith("hc"));

/** Classes that VS Code puts on the body, the more special first: high contrast light bears both. */
const CLASSES: readonly (readonly [string, ThemeKind])[] = [
  ["vscode-high-contrast-light", "hc-light"],
  ["vscode-high-contrast", "hc-dark"],
  ["vscode-light", "light"],
  ["vscode-dark", "dark"],
];

function kindOf(classes: DOMTokenList): ThemeKind {
  return CLASSES.find(([name]) => classes.contains(name))?.[1] ?? "dark";
}

const MEDIA = {
  light: "(prefers-color-scheme: light)",
  contrast: "(prefers-contrast: more)",
  motion: "(prefers-reduced-motion: reduce)",
} as const;

function matches(query: string): boolean {
  return typeof matchMedia === "function" && matchMedia(query).matches;
}

function read(): void {
  const { classList } = document.body;
  current.value = {
    kind: kindOf(classList),
    reduceMotion: classList.contains("vscode-reduce-motion") || matches(MEDIA.motion),
    screenReader: classList.contains("vscode-using-screen-reader"),
    version: current.value.version + 1,
  };
}

/** In a browser nobody sets the classes: the system's wishes do. A class that is there already is left. */
function dressBody(): void {
  const light = matches(MEDIA.light);
  const own = matches(MEDIA.contrast)
    ? ["vscode-high-contrast", ...(light ? ["vscode-high-contrast-light"] : [])]
    : [light ? "vscode-light" : "vscode-dark"];
  document.body.classList.remove(...CLASSES.map(([name]) => name));
  document.body.classList.add(...own);
}

/** Follows the theme until the answer is called. */
export function followTheme(host: "vscode" | "browser"): () => void {
  const inBrowser = host === "browser";
  document.documentElement.classList.toggle("in-browser", inBrowser);
  if (inBrowser && kindMissing()) dressBody();
  const observer = new MutationObserver(read);
  const looks = { attributes: true, attributeFilter: ["class", "style", "data-vscode-theme-id"] };
  observer.observe(document.body, looks);
  observer.observe(document.documentElement, looks);
  const lists =
    typeof matchMedia === "function" ? Object.values(MEDIA).map((query) => matchMedia(query)) : [];
  const onMedia = (): void => {
    if (inBrowser) dressBody();
    read();
  };
  for (const list of lists) list.addEventListener("change", onMedia);
  read();
  return () => {
    observer.disconnect();
    for (const list of lists) list.removeEventListener("change", onMedia);
  };
}

function kindMissing(): boolean {
  return !CLASSES.some(([name]) => document.body.classList.contains(name));
}

/** The value of one of our tokens now, for a canvas, which cannot read `var()`. */
export function readToken(name: `--${string}`): string {
  return getComputedStyle(document.body).getPropertyValue(name).trim() || "gray";
}
