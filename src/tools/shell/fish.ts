import type { CommandNode, OptionNode, Values } from "./tree.ts";

/** A script that makes fish complete the command. */
export function fishCompletion(root: CommandNode): string {
  const { name } = root;
  const names = root.commands.map((command) => command.name).join(" ");
  const none = `-n ${quoted(`not __fish_seen_subcommand_from ${names}`)}`;
  const lines = [
    `# fish completion for ${name}, made by \`${name} completion fish\``,
    `complete -c ${name} -f`,
    ...root.options.map((option) => `complete -c ${name} ${none} ${optionSpec(option)}`),
    ...root.commands.map(
      (command) => `complete -c ${name} ${none} -a ${command.name} -d ${quoted(command.description)}`,
    ),
  ];
  for (const command of root.commands) {
    const one = `-n ${quoted(`__fish_seen_subcommand_from ${command.name}`)}`;
    for (const option of command.options) lines.push(`complete -c ${name} ${one} ${optionSpec(option)}`);
    const [first] = command.arguments;
    if (first !== undefined && first.values !== "anything")
      lines.push(`complete -c ${name} ${one} ${values(first.values)}`);
  }
  return `${lines.join("\n")}\n`;
}

function optionSpec({ names, description, values: taken }: OptionNode): string {
  const flags = names.map((one) => (one.startsWith("--") ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`));
  const rest = taken === undefined ? [] : ["-r", ...(taken === "anything" ? [] : [values(taken)])];
  return [...flags, ...rest, "-d", quoted(description)].join(" ");
}

function values(taken: Values): string {
  if (taken === "file") return "-F";
  return taken === "anything" ? "" : `-a ${quoted(taken.join(" "))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
