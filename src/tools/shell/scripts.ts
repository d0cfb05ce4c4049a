import type { Command } from "commander";
import { bashCompletion } from "./bash.ts";
import { fishCompletion } from "./fish.ts";
import { manPage } from "./man.ts";
import { treeOf, type CommandNode } from "./tree.ts";
import { zshCompletion } from "./zsh.ts";

export type Shell = "bash" | "zsh" | "fish";

const COMPLETIONS: Readonly<Record<Shell, (root: CommandNode) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** A script that makes a shell complete a command line. */
export function completionFor(shell: Shell, whole: Command): string {
  return COMPLETIONS[shell](treeOf(whole));
}

/** The manual page of a command line. */
export function manualOf(whole: Command): string {
  return manPage(treeOf(whole), whole.version() ?? "");
}
