import type { CommandNode, OptionNode, Values } from "./tree.ts";

/** A script that makes zsh complete the command: a file `_zeo-proxy` in a folder of its `fpath`. */
export function zshCompletion(root: CommandNode): string {
  const id = root.name.replaceAll("-", "_");
  const commands = root.commands.map(({ name, description }) => `    ${quoted(`${name}:${escaped(description)}`)}`);
  const cases = root.commands.map((command) => {
    const specs = [
      ...command.options.map(optionSpec),
      ...command.arguments.map(({ name, values, usage }) =>
        quoted(`${place(usage)}:${escaped(name)}:${action(values)}`),
      ),
    ];
    return `    (${command.name}) _arguments -s -S ${specs.join(" ")} ;;`;
  });
  return `#compdef ${root.name}
# zsh completion for ${root.name}, made by \`${root.name} completion zsh\`
_${id}() {
  local context state line
  local -a commands
  commands=(
${commands.join("\n")}
  )
  _arguments -C ${root.options.map(optionSpec).join(" ")} '1:command:->command' '*::argument:->argument'
  case "$state" in
  (command) _describe command commands ;;
  (argument)
    case "$words[1]" in
${cases.join("\n")}
    esac ;;
  esac
}
if [ "$funcstack[1]" = "_${root.name}" ]; then _${id} "$@"; else compdef _${id} ${root.name}; fi
`;
}

function place(usage: string): string {
  return usage.includes("...") ? "*" : "1";
}

function optionSpec({ names, description, values }: OptionNode): string {
  const rest = `[${escaped(description)}]${values === undefined ? "" : `:value:${action(values)}`}`;
  // A value is the next word, or stands behind = in the same one; behind a short option without a sign.
  const taking = (name: string): string => {
    if (values === undefined) return name;
    return name.startsWith("--") ? `${name}=` : `${name}+`;
  };
  const [first = "", second] = names;
  if (second === undefined) return quoted(`${taking(first)}${rest}`);
  return `${quoted(`(${first} ${second})`)}{${taking(first)},${taking(second)}}${quoted(rest)}`;
}

function action(values: Values): string {
  if (values === "file") return "_files";
  return values === "anything" ? " " : `(${values.join(" ")})`;
}

/** What means something in a specification. */
function escaped(text: string): string {
  return text.replaceAll(/[\\:[\]]/g, (one) => `\\${one}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
