import type { Command } from "commander";

/** What help and manual say of a command, beside its arguments and options. */
export interface Documentation {
  /** Command lines, without a prompt; what one does may stand before it. */
  readonly examples: readonly (string | readonly [what: string, line: string])[];
  /** What each exit status means. */
  readonly exits?: readonly (readonly [status: string, meaning: string])[];
  /** Paragraphs. */
  readonly notes?: readonly string[];
}

const known = new WeakMap<Command, Documentation>();

/** Adds examples, exit statuses and notes to a command's help, and keeps them for the manual. */
export function documented(command: Command, documentation: Documentation): Command {
  known.set(command, documentation);
  return command.addHelpText("after", helpText(documentation));
}

export function documentationOf(command: Command): Documentation {
  return known.get(command) ?? { examples: [] };
}

const WIDTH = 118;

function helpText({ examples, exits = [], notes = [] }: Documentation): string {
  const lines = ["", examples.length === 1 ? "Example:" : "Examples:"];
  for (const example of examples) {
    if (typeof example === "string") lines.push(`  $ ${example}`);
    else lines.push(`  # ${example[0]}`, `  $ ${example[1]}`);
  }
  for (const note of notes) lines.push("", ...wrapped(note, ""));
  if (exits.length > 0) {
    lines.push("", "Exit status:");
    const width = Math.max(...exits.map(([status]) => status.length));
    for (const [status, meaning] of exits) {
      const [first = "", ...rest] = wrapped(meaning, " ".repeat(width + 4));
      lines.push(`  ${status.padEnd(width)}  ${first.trimStart()}`, ...rest);
    }
  }
  return lines.join("\n");
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line.length + word.length > WIDTH && line.trim() !== "") {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
