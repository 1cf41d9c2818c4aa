import type { Role } from "../../../shared/roles.ts";
import type { ViewCommand, ViewVerb } from "../../../shared/view/messages.ts";
import type { ExampleView } from "./dom.tsx";
import { EXAMPLE_NOW } from "./gallery/example-data.ts";

/** What a screen is looked at for in tests. */
export function lookAt(view: ExampleView) {
  const all = (selector: string): HTMLElement[] => [
    ...view.root.querySelectorAll<HTMLElement>(selector),
  ];
  const nameOf = (element: HTMLElement): string =>
    (element.getAttribute("aria-label") ?? element.textContent ?? "").trim();
  return {
    all,
    text: (): string => view.root.textContent ?? "",
    /** The states of its panels. */
    states: (): (string | undefined)[] =>
      all(".panel[data-state]").map(({ dataset }) => dataset["state"]),
    /** The first button (or tab) whose name begins so; throws when there is none. */
    button(name: string): HTMLElement {
      const found = all("button, vscode-button").find((element) =>
        nameOf(element).startsWith(name),
      );
      if (found === undefined) throw new Error(`no button ${name}`);
      return found;
    },
    hasButton: (name: string): boolean =>
      all("button, vscode-button").some((element) => nameOf(element).startsWith(name)),
    isDisabled: (element: HTMLElement): boolean =>
      element.getAttribute("aria-disabled") === "true" || element.hasAttribute("disabled"),
    async click(element: HTMLElement): Promise<void> {
      element.click();
      await view.settle();
    },
    rows: (): HTMLElement[] => all("tbody tr"),
    /** Boxes to tick, in order. */
    ticks: (): HTMLInputElement[] => all("input.tick") as HTMLInputElement[],
    /** The bodies of all requests of a verb, oldest first. */
    asked: (verb: ViewVerb): unknown[] =>
      view.sent.flatMap((command: ViewCommand) =>
        command.type === "request" && command.verb === verb ? [command.body] : [],
      ),
    /** Answers the question that is open. */
    async answer(reason: string | null): Promise<void> {
      const asked = view.dashboard.dialogs.asked.peek();
      if (asked === null) throw new Error("nothing is asked");
      asked.answer(reason === null ? null : { reason });
      await view.settle();
    },
    /** Signs in as somebody else. */
    async as(user: string, role: Role): Promise<void> {
      await view.tell({
        type: "connection",
        state: {
          kind: "connected",
          since: EXAMPLE_NOW,
          url: "nats://127.0.0.1:4222",
          rttMs: 1,
          daemonVersion: "0.1.0",
          serverVersion: "2.15.1",
        },
        history: [],
        identity: { user, role },
        subscriptions: [],
      });
    },
  };
}
