import type { Command } from "commander";
import { documentationOf, type Documentation } from "./documented.ts";

/** What can be typed in a place: one of some words, a file, or something that nobody can guess. */
export type Values = readonly string[] | "file" | "anything";

export interface OptionNode {
  /** Such as `-c, --config <file>`. */
  readonly flags: string;
  /** Such as `-c` and `--config`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Undefined: it takes no value. */
  readonly values: Values | undefined;
  /** As the help shows it. */
  readonly byDefault: string | undefined;
}

export interface ArgumentNode {
  /** Such as `<file>`. */
  readonly usage: string;
  readonly name: string;
  readonly description: string;
  readonly values: Values;
}

/** A command, as completion and manual need it. */
export interface CommandNode {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly arguments: readonly ArgumentNode[];
  readonly commands: readonly CommandNode[];
  readonly documentation: Documentation;
}

export function treeOf(command: Command): CommandNode {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    options: help.visibleOptions(command).map((option) => {
      const { flags, short, long, description, argChoices, defaultValue, defaultValueDescription } = option;
      const takes = option.required || option.optional;
      const byDefault =
        defaultValueDescription ?? (takes && defaultValue !== undefined ? String(defaultValue) : undefined);
      return {
        flags,
        names: [short, long].filter((name) => name !== undefined && name !== null),
        description,
        values: takes ? valuesOf(flags, argChoices) : undefined,
        byDefault: byDefault === "" ? undefined : byDefault,
      };
    }),
    arguments: command.registeredArguments.map((argument) => {
      const name = `${argument.name()}${argument.variadic ? "..." : ""}`;
      return {
        usage: argument.required ? `<${name}>` : `[${name}]`,
        name: argument.name(),
        description: argument.description,
        values: valuesOf(argument.name(), argument.argChoices),
      };
    }),
    commands: command.commands.map(treeOf),
    documentation: documentationOf(command),
  };
}

/** What is called a file is one. */
function valuesOf(named: string, choices: readonly string[] | undefined): Values {
  return choices ?? (/\bfile\b/.test(named) ? "file" : "anything");
}
