import { Argument, Command } from "commander";
import { documented } from "../tools/shell/documented.ts";

/** `zeo-proxy help`: as `--help`, of one command or of all. `whole` is asked when it is needed: the tree has this one in it. */
export function helpCommand(whole: () => Command, names: readonly string[]): Command {
  const command = new Command("help")
    .description("Print the help of a command, or of all.")
    .addArgument(new Argument("[command]", "which one").choices(names));
  return documented(command, {
    examples: ["zeo-proxy help", "zeo-proxy help probe"],
    exits: [
      ["0", "printed"],
      ["2", "a command that is not known"],
    ],
  }).action((name?: string) => {
    const all = whole();
    const wanted = name === undefined ? all : all.commands.find((one) => one.name() === name);
    (wanted ?? all).outputHelp();
  });
}
