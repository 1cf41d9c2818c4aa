import type { Command } from "commander";
import type { Context } from "./context.ts";
import type { CommandModule } from "./program.ts";
import { badUsage } from "./values.ts";

/** A command as completion needs it: its words (`user add`), what it says of itself, its options. */
interface Known {
  readonly words: string;
  readonly says: string;
  readonly options: readonly { readonly flag: string; readonly says: string }[];
  readonly subcommands: readonly string[];
}

/** The command that prints a completion script made from the program itself. */
export function completionsOf(program: Command): CommandModule<[string]> {
  return {
    async run(context: Context, [shell]: [string]) {
      const write = SHELLS[shell];
      if (write === undefined)
        throw badUsage(`${shell} is no shell known here: bash, zsh or fish.`);
      const script = write(knownOf(program, ""));
      context.result({ shell, script }, () => script);
      return 0;
    },
  };
}

function knownOf(command: Command, words: string): Known[] {
  const own: Known = {
    words,
    says: command.description(),
    options: command.options.map((option) => ({
      flag: option.long ?? option.short ?? "",
      says: option.description,
    })),
    subcommands: command.commands.map((sub) => sub.name()),
  };
  const below = command.commands.flatMap((sub) => knownOf(sub, `${words} ${sub.name()}`.trim()));
  return [own, ...below];
}

const SHELLS: Record<string, (known: readonly Known[]) => string> = { bash, zsh, fish };

function candidates(one: Known, globals: readonly Known["options"][number][]): string {
  const flags = [...one.options, ...globals].map(({ flag }) => flag);
  return [...one.subcommands, ...new Set(flags)].join(" ");
}

function bash(known: readonly Known[]): string {
  const globals = known[0]!.options;
  const cases = known
    .map((one) => `    "${one.words}") words="${candidates(one, globals)}" ;;`)
    .join("\n");
  return `_msgsys() {
  local current="\${COMP_WORDS[COMP_CWORD]}" at="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      -*) ;;
      *) case " ${known.map(({ words }) => words.replace(/ /g, "_")).join(" ")} " in
           *" \${at:+\${at}_}$word "*) at="\${at:+$at }$word" ;;
         esac ;;
    esac
  done
  case "$at" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _msgsys msgsys`;
}

function zsh(known: readonly Known[]): string {
  return `#compdef msgsys
autoload -U +X bashcompinit && bashcompinit
${bash(known)}`;
}

function fish(known: readonly Known[]): string {
  const quote = (text: string): string => `'${text.replace(/'/g, "\\'")}'`;
  const lines = known.flatMap((one) => {
    const [first, second] = one.words.split(" ");
    const condition =
      one.words === ""
        ? "__fish_use_subcommand"
        : [first, second]
            .filter((word) => word !== undefined)
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join("; and ");
    const subs = known.filter(
      ({ words }) => words !== "" && words.replace(/ ?[^ ]+$/, "") === one.words,
    );
    return [
      ...subs.map(
        (sub) =>
          `complete -c msgsys -f -n ${quote(condition)} -a ${sub.words.split(" ").at(-1)} -d ${quote(sub.says)}`,
      ),
      ...one.options.map(
        ({ flag, says }) =>
          `complete -c msgsys ${one.words === "" ? "" : `-n ${quote(condition)} `}-l ${flag.replace(/^-+/, "")} -d ${quote(says)}`,
      ),
    ];
  });
  return lines.join("\n");
}
