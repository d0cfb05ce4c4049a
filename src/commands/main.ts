import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/problem.ts";
import { checkCommand } from "./check.ts";
import { demoCommand } from "./demo.ts";
import { documented } from "../tools/shell/documented.ts";
import { helpCommand } from "./help.ts";
import { healthCommand } from "./health.ts";
import { initCommand } from "./init.ts";
import { probeCommand } from "./probe.ts";
import { completionCommand, manCommand } from "./shell.ts";
import { statusCommand } from "./status.ts";
import { watchCommand } from "./watch.ts";
import { EXIT } from "./exit-status.ts";
import { complain, print, printError } from "./output.ts";
import { runCommand } from "./run.ts";

/** The whole command line. A wrong use of it is thrown as a CommanderError. */
export function program(): Command {
  const command = new Command("zeo-proxy")
    .description("A transparent proxy that completes the invalidations of ZEO servers.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .configureOutput({ writeOut: print, writeErr: printError })
    .exitOverride();
  documented(command, {
    examples: [
      "zeo-proxy run --listen 127.0.0.1:9100 --server 127.0.0.1:8100",
      "zeo-proxy init --server 127.0.0.1:8100",
      "zeo-proxy check /etc/zeo-proxy.yaml",
      "zeo-proxy run --config /etc/zeo-proxy.yaml",
      "zeo-proxy watch 127.0.0.1:9100",
      "zeo-proxy demo --once",
    ],
    exits: [
      ["0", "after SIGTERM, SIGINT or SIGQUIT; of the others: done"],
      ["1", "where a listening address is in use or not permitted, or for an internal error"],
      ["2", "for a wrong configuration or command line"],
      ["130, 131, 143", "after a second signal"],
    ],
    notes: [
      "A server that is down, and a name or an address that is not there yet, are waited for. Each command's help has the exit statuses of its own.",
    ],
  });
  const whole = (): Command => command;
  const commands: Command[] = [
    runCommand(),
    checkCommand(),
    demoCommand(),
    initCommand(),
    watchCommand(),
    probeCommand(),
    statusCommand(),
    healthCommand(),
    completionCommand(whole),
    manCommand(whole),
  ];
  const names = [...commands.map((one) => one.name()), "help"];
  commands.push(helpCommand(whole, names));
  for (const one of commands) command.addCommand(one.copyInheritedSettings(command));
  return command;
}

/** Runs the command line and sets the exit status; the process ends when nothing is left to do. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    const [, , name = ""] = argv;
    const status = report(error, name);
    process.exitCode = status;
    if (status === EXIT.ok || name !== "probe" || !argv.includes("--nagios")) return;
    // Of a monitor's check 1 and 2 are other things, and 3 this (Nagios plugin guidelines); it shows standard output alone.
    const { unknownLine } = await import("../tools/probe/nagios.ts");
    print(unknownLine(error instanceof Error ? error.message : String(error)));
    process.exitCode = EXIT.unknown;
  }
}

/** What did not come about, as the configuration is no good. These two begin nothing. */
const NOT_DONE: Readonly<Record<string, string>> = { init: ", nothing written", status: "", health: "" };

function report(error: unknown, command: string): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) {
    printError(`${error.message}\n`);
    const count = error.problems.length;
    const notDone = Object.hasOwn(NOT_DONE, command) ? NOT_DONE[command] : ", nothing started";
    complain(`${count === 1 ? "one problem" : `${count} problems`} in the configuration${notDone}`);
    return EXIT.usage;
  }
  complain(error instanceof Error ? error.message : String(error));
  return EXIT.failed;
}

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
