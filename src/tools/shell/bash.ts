import type { CommandNode, Values } from "./tree.ts";

/** A script that makes bash complete the command. */
export function bashCompletion(root: CommandNode): string {
  const all = [root, ...root.commands];
  const key = (command: CommandNode): string => (command === root ? "" : command.name);
  const values = all.flatMap((command) =>
    command.options.flatMap((option) =>
      option.values === undefined
        ? []
        : [
            `    ${option.names.map((name) => `"${key(command)} ${name}"`).join("|")}) ${reply(option.values)}; COMPREPLY=("\${COMPREPLY[@]/#/$before}"); return ;;`,
          ],
    ),
  );
  const words = all.map((command) => {
    const options = command.options.flatMap(({ names }) => names).join(" ");
    const rest = command === root ? root.commands.map(({ name }) => name).join(" ") : "";
    return `    "${key(command)}") options="${options}"; words="${rest}" ;;`;
  });
  const places = root.commands.flatMap((command) => {
    const [first] = command.arguments;
    return first === undefined ? [] : [`    "${command.name}") ${reply(first.values)} ;;`];
  });
  const name = root.name;
  const id = name.replaceAll("-", "_");
  return `# bash completion for ${name}, made by \`${name} completion bash\`
_${id}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" command="" before="" joined="" options words word
  COMPREPLY=()
  # An option and its value with = between are three words, or one where = breaks none (COMP_WORDBREAKS).
  if [[ "$cur" == --*=* ]]; then
    joined=yes
    prev="\${cur%%=*}"
    before="$prev="
    cur="\${cur#*=}"
  elif [[ "$cur" == "=" && "$prev" == --* ]]; then
    joined=yes
    cur=""
  elif [[ "$prev" == "=" ]] && ((COMP_CWORD > 2)); then
    joined=yes
    prev="\${COMP_WORDS[COMP_CWORD - 2]}"
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
    -*) ;;
    *) command="$word"; break ;;
    esac
  done
  case "$command $prev" in
${values.join("\n")}
  esac
  # Its value is anybody's guess, or it takes none.
  if [[ -n "$joined" ]]; then return; fi
  case "$command" in
${words.join("\n")}
    *) return ;;
  esac
  if [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
    return
  fi
  if [[ -n "$words" ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case "$command" in
${places.join("\n")}
  esac
}
complete -F _${id} ${name}
`;
}

function reply(values: Values): string {
  if (values === "file") return 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))';
  if (values === "anything") return "COMPREPLY=()";
  return `COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$cur"))`;
}
