import { Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/load.ts";
import { loadConfig, parseConfig } from "../config/load.ts";
import { documented } from "../tools/shell/documented.ts";
import { LOG_FORMATS, LOG_LEVELS, REPAIR_LINES } from "../config/schema.ts";
import { asOptions } from "./as-options.ts";
import { noteHangup } from "./signals.ts";

interface RunOptions {
  readonly config?: string;
  readonly listen?: string;
  readonly server?: string;
  readonly logLevel?: Config["log"]["level"];
  readonly logFormat?: Config["log"]["format"];
  readonly logOids?: number;
  readonly logRepairs?: Config["log"]["repairs"];
}

/** `zeo-proxy run`: the proxy itself, until a signal. */
export function runCommand(): Command {
  const command = new Command("run")
    .description("Run the proxy.")
    .addOption(new Option("-c, --config <file>", "a YAML file with everything").conflicts(["listen", "server"]))
    .option("-l, --listen <address>", "where clients connect, HOST:PORT or a path; port 0 takes any free one")
    .option("-s, --server <address>", "the ZEO server, HOST:PORT or a path")
    .addOption(new Option("--log-level <level>", "the least important lines to write").choices(LOG_LEVELS))
    .addOption(new Option("--log-format <format>", "auto is pretty on a terminal, else json").choices(LOG_FORMATS))
    .addOption(new Option("--log-oids <number>", "how many added oids a line lists").argParser(readCount))
    .addOption(new Option("--log-repairs <how>", "a line for each, or a summary once a minute").choices(REPAIR_LINES));
  return documented(command, {
    examples: [
      "zeo-proxy run --config /etc/zeo-proxy.yaml",
      "zeo-proxy run --listen 127.0.0.1:9100 --server 127.0.0.1:8100",
      'zeo-proxy run --listen "[::1]:0" --server zeo.example.com:8100 --log-level debug',
    ],
    exits: [
      ["0", "stopped by a signal, in order"],
      ["1", "a listening address is in use or not permitted, or an internal error"],
      ["2", "a wrong configuration or command line; nothing was started"],
      ["130, 131, 143", "ended at once by a second signal"],
    ],
    notes: [
      "SIGTERM, SIGINT and SIGQUIT let finishing commits settle and tell clients what they are owed, for limits.drain at most; a second one ends the process at once.",
      "SIGHUP reads the file again, and SIGUSR1 writes how everything is to the log.",
    ],
  }).action(async (options: RunOptions) => {
    const isWanted = noteHangup();
    const read = (): Config => withLogOptions(readConfig(options, command), options);
    const config = read();
    // What is wrong with the configuration is told without loading the proxy.
    const { runProxy } = await import("./run-proxy.ts");
    const { config: file } = options;
    process.exitCode = await runProxy(config, file === undefined ? undefined : { file, read, isWanted });
  });
}

function readConfig({ config, listen, server }: RunOptions, command: Command): Config {
  if (config !== undefined) return loadConfig(config);
  if (listen === undefined || server === undefined) {
    command.error("error: expected --config FILE, or both --listen ADDRESS and --server ADDRESS");
  }
  return asOptions(() => parseConfig({ upstreams: [{ listen, server }] }));
}

function withLogOptions(config: Config, { logLevel, logFormat, logOids, logRepairs }: RunOptions): Config {
  const { level, format, oids, repairs } = config.log;
  const log = {
    level: logLevel ?? level,
    format: logFormat ?? format,
    oids: logOids ?? oids,
    repairs: logRepairs ?? repairs,
  };
  return { ...config, log };
}

function readCount(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("expected a whole number below 100000.");
  return Number(text);
}
