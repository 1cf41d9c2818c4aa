/**
 * The only file that knows the component library (@vscode-elements/elements). Wrappers set labels in the way that each
 * element honours, and turn its events into values.
 */
import "@vscode-elements/elements/dist/vscode-button/index.js";
import "@vscode-elements/elements/dist/vscode-checkbox/index.js";
import "@vscode-elements/elements/dist/vscode-textarea/index.js";
import "@vscode-elements/elements/dist/vscode-textfield/index.js";
import { type ComponentChildren, h, type VNode } from "preact";
import { useId, useRef } from "preact/hooks";
import { Icon } from "./Icon.tsx";
import type { IconName } from "./icon-names.ts";

/** Elements of the library have properties that Preact's types do not know. */
function element(tag: `vscode-${string}`, props: object, ...children: ComponentChildren[]): VNode {
  return h(tag as "div", props as object, ...children);
}

/** A button with a word. `why` says why it is disabled (or what it does) on hover. */
export function Button(props: {
  children: ComponentChildren;
  onClick: () => void;
  kind?: "primary" | "secondary";
  icon?: IconName;
  disabled?: boolean;
  why?: string | undefined;
}) {
  const { children, onClick, kind = "secondary", icon, disabled = false, why } = props;
  const content = (
    <span class="button-content">
      {icon !== undefined && <Icon name={icon} />}
      {children}
    </span>
  );
  return element(
    "vscode-button",
    {
      secondary: kind === "secondary",
      disabled,
      "aria-disabled": disabled ? "true" : undefined,
      title: why,
      onClick: () => {
        if (!disabled) onClick();
      },
    },
    content,
  );
}

/** A button that is an icon. `label` names it, and is its tooltip unless `why` says why it is disabled. */
export function IconButton(props: {
  icon: IconName;
  label: string;
  onClick: (event: MouseEvent) => void;
  pressed?: boolean;
  disabled?: boolean;
  why?: string | undefined;
}) {
  const { icon, label, onClick, pressed, disabled = false, why } = props;
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={label}
      title={why ?? label}
      aria-pressed={pressed}
      aria-disabled={disabled}
      onClick={(event) => {
        event.stopPropagation();
        if (!disabled) onClick(event);
      }}
    >
      <Icon name={icon} />
    </button>
  );
}

/** One line of text with its label above. */
export function TextField(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  placeholder?: string;
  hideLabel?: boolean;
  invalid?: boolean;
  autofocus?: boolean;
}) {
  return <Labelled {...props} tag="vscode-textfield" />;
}

/** Several lines of text with their label above. */
export function TextArea(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  placeholder?: string;
  hideLabel?: boolean;
  invalid?: boolean;
  rows?: number;
  mono?: boolean;
}) {
  return <Labelled {...props} tag="vscode-textarea" />;
}

function Labelled(props: {
  tag: "vscode-textfield" | "vscode-textarea";
  label: string;
  value: string;
  onInput: (value: string) => void;
  placeholder?: string;
  hideLabel?: boolean;
  invalid?: boolean;
  rows?: number;
  mono?: boolean;
  autofocus?: boolean;
}) {
  const { tag, label, value, onInput, placeholder, invalid = false, rows, mono, autofocus } = props;
  const id = useId();
  return (
    <div class="field">
      <label class={props.hideLabel === true ? "unseen" : "field-label"} for={id}>
        {label}
      </label>
      {element(tag, {
        id,
        class: mono === true ? "mono" : "",
        label,
        value,
        placeholder,
        invalid,
        rows,
        monospace: mono,
        autofocus,
        onInput: (event: Event) => onInput((event.currentTarget as HTMLInputElement).value),
      })}
    </div>
  );
}

/** One of few. A native list: the library's weighs as much as all other controls together, and has no name by label. */
export function Select<T extends string>(props: {
  label: string;
  value: T;
  options: readonly { readonly value: T; readonly label: string }[];
  onChange: (value: T) => void;
  hideLabel?: boolean;
  disabled?: boolean;
}) {
  const { label, value, options, onChange, disabled = false } = props;
  const id = useId();
  return (
    <div class="field">
      <label class={props.hideLabel === true ? "unseen" : "field-label"} for={id}>
        {label}
      </label>
      <select
        id={id}
        class="select"
        value={value}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.value as T)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A box to tick. `hideLabel` keeps the label for screen readers alone. */
export function Checkbox(props: {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  indeterminate?: boolean;
  hideLabel?: boolean;
  disabled?: boolean;
  why?: string | undefined;
}) {
  const { label, checked, onChange, indeterminate = false, disabled = false, why } = props;
  if (props.hideLabel === true) {
    // In tables a native box: a hundred custom elements cost a frame.
    return (
      <input
        type="checkbox"
        class="tick"
        aria-label={label}
        checked={checked}
        indeterminate={indeterminate}
        disabled={disabled}
        title={why ?? label}
        onClick={(event) => event.stopPropagation()}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
    );
  }
  return element("vscode-checkbox", {
    label,
    checked,
    indeterminate,
    disabled,
    title: why,
    onChange: (event: Event) => onChange((event.currentTarget as HTMLInputElement).checked),
  });
}

/** Views of one thing, one of them shown. Arrow keys move between the headers. */
export function Tabs<T extends string>(props: {
  label: string;
  tabs: readonly { readonly id: T; readonly label: string }[];
  selected: T;
  onSelect: (id: T) => void;
  children: ComponentChildren;
}) {
  const { label, tabs, selected, onSelect, children } = props;
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    const index = tabs.findIndex((tab) => tab.id === selected) + step;
    const next = tabs[(index + tabs.length) % tabs.length];
    if (next === undefined) return;
    event.preventDefault();
    onSelect(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            type="button"
            key={tab.id}
            role="tab"
            id={`${id}-${tab.id}`}
            data-tab={tab.id}
            class="tab"
            aria-selected={tab.id === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${selected}`}
        class="tab-panel"
      >
        {children}
      </div>
    </div>
  );
}
