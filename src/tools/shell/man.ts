import type { Documentation } from "./documented.ts";
import type { CommandNode, OptionNode } from "./tree.ts";

/** The manual page, in roff (man(7)), section 1. */
export function manPage(root: CommandNode, version: string): string {
  const { name } = root;
  return [
    `.TH ${name.toUpperCase()} 1 "" "${name} ${version}" "User Commands"`,
    ".SH NAME",
    `${text(name)} \\- ${text(root.description.replace(/\.$/, ""))}`,
    ".SH SYNOPSIS",
    ...root.commands.flatMap((command) => [`.B ${text(name)}`, text(usageOf(command)), ".br"]).slice(0, -1),
    ".SH COMMANDS",
    ...root.commands.flatMap((command) => commandLines(name, command)),
    ".SH OPTIONS",
    ...root.options.flatMap(optionLines),
    ...documentationLines(root.documentation, ".SH"),
    ".SH SEE ALSO",
    `The folder docs of the package: configuration.md has every option, log line and exit status, tools.md shows the tools.`,
    "",
  ].join("\n");
}

function usageOf({ name, options, arguments: args }: CommandNode): string {
  const rest = options.length > 0 ? ["[options]"] : [];
  return [name, ...rest, ...args.map(({ usage }) => usage)].join(" ");
}

function commandLines(name: string, command: CommandNode): string[] {
  return [
    `.SS ${text(name)} ${text(usageOf(command))}`,
    text(command.description),
    ...command.arguments.flatMap(({ usage, description }) => [".TP", `.I ${text(usage)}`, text(description)]),
    ...command.options.flatMap(optionLines),
    ...documentationLines(command.documentation, ".PP"),
  ];
}

function optionLines({ flags, description, values, byDefault }: OptionNode): string[] {
  const choices = Array.isArray(values) ? [`One of ${values.join(", ")}.`] : [];
  const rest = byDefault === undefined ? [] : [`Default: ${byDefault}.`];
  const sentence = /[.!?)]$/.test(description) ? description : `${description}.`;
  return [".TP", `.B ${text(flags)}`, text([sentence, ...choices, ...rest].join(" "))];
}

function documentationLines({ examples, exits = [], notes = [] }: Documentation, heading: ".SH" | ".PP"): string[] {
  const head = (title: string): string[] => (heading === ".SH" ? [`.SH ${title.toUpperCase()}`] : [".PP", `${title}:`]);
  const lines: string[] = notes.flatMap((note) => [".PP", text(note)]);
  if (exits.length > 0) {
    lines.push(...head("Exit status"));
    for (const [status, meaning] of exits) lines.push(".TP", `.B ${text(status)}`, text(meaning));
  }
  if (examples.length > 0) {
    lines.push(...head("Examples"), ".nf", ".RS");
    for (const example of examples) {
      if (typeof example === "string") lines.push(text(example));
      else lines.push(text(`# ${example[0]}`), text(example[1]));
    }
    lines.push(".RE", ".fi");
  }
  return lines;
}

/** As roff shows it: no backslash, dash or point of the text's means anything. */
function text(plain: string): string {
  const escaped = plain.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("\n", " ");
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}
