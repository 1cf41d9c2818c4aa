import { Component, type ComponentChildren } from "preact";
import { describeThrown } from "./describe-thrown.ts";
import { ErrorNote } from "./Panel.tsx";
import { t } from "./text.ts";

interface Props {
  readonly children: ComponentChildren;
  /** Another name: what failed is gone, try anew. */
  readonly name: string;
}

/** Keeps a screen that throws from taking the others with it. A class, because Preact wants one for this. */
export class ErrorBoundary extends Component<Props, { thrown: unknown; name: string }> {
  override state = { thrown: undefined as unknown, name: this.props.name };

  static override getDerivedStateFromError(thrown: unknown) {
    return { thrown };
  }

  static override getDerivedStateFromProps(props: Props, state: { thrown: unknown; name: string }) {
    return props.name === state.name ? null : { thrown: undefined, name: props.name };
  }

  override render() {
    const { thrown } = this.state;
    if (thrown === undefined) return this.props.children;
    return (
      <ErrorNote
        error={{
          code: "internal",
          message: t("This screen failed: {what}", { what: describeThrown(thrown) }),
          hint: t("The other screens work. If it fails again, please report it."),
        }}
        onRetry={() => this.setState({ thrown: undefined })}
      />
    );
  }
}
