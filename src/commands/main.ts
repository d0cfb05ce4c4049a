import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/problem.ts";
import { checkCommand } from "./check.ts";
import { demoCommand } from "./demo.ts";
import { documented } from "../tools/shell/documented.ts";
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
  const commands = [
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
  for (const one of commands) command.addCommand(one.copyInheritedSettings(command));
  return command;
}

/** Runs the command line and sets the exit status; the process ends when nothing is left to do. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    const status = report(error);
    // Of a monitor's check 2 is another thing, and 3 this (Nagios plugin guidelines).
    process.exitCode =
      status === EXIT.usage && argv[2] === "probe" && argv.includes("--nagios") ? EXIT.unknown : status;
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ConfigError) {
    printError(`${error.message}\n`);
    const count = error.problems.length;
    complain(`${count === 1 ? "one problem" : `${count} problems`} in the configuration, nothing started`);
    return EXIT.usage;
  }
  complain(error instanceof Error ? error.message : String(error));
  return EXIT.failed;
}

function version(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
