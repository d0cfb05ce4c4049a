import { Argument, Command } from "commander";
import { documented } from "../tools/shell/documented.ts";
import type { Shell } from "../tools/shell/scripts.ts";
import { print } from "./output.ts";

// Both are made from the command tree, and know by that what there is. `whole` is asked when it is needed: the tree has these
// two in it.

/** `zeo-proxy completion`: a script for a shell. */
export function completionCommand(whole: () => Command): Command {
  const command = new Command("completion")
    .description("Print a script that makes a shell complete this command.")
    .addArgument(new Argument("<shell>", "which one").choices(["bash", "zsh", "fish"]));
  return documented(command, {
    examples: [
      ["for this shell", 'eval "$(zeo-proxy completion bash)"'],
      ["for all users", "zeo-proxy completion bash > /etc/bash_completion.d/zeo-proxy"],
      "zeo-proxy completion zsh > /usr/local/share/zsh/site-functions/_zeo-proxy",
      "zeo-proxy completion fish > ~/.config/fish/completions/zeo-proxy.fish",
    ],
    exits: [
      ["0", "printed"],
      ["2", "a shell that is not known"],
    ],
  }).action(async (shell: Shell) => {
    const { completionFor } = await import("../tools/shell/scripts.ts");
    print(completionFor(shell, whole()));
  });
}

/** `zeo-proxy man`: the manual page. */
export function manCommand(whole: () => Command): Command {
  const command = new Command("man").description("Print the manual page.");
  return documented(command, {
    examples: [
      ["to read it", "zeo-proxy man | man -l -"],
      ["to install it", "zeo-proxy man > /usr/local/share/man/man1/zeo-proxy.1"],
    ],
    exits: [["0", "printed"]],
  }).action(async () => {
    const { manualOf } = await import("../tools/shell/scripts.ts");
    print(manualOf(whole()));
  });
}
