import { Command, Option } from "commander";
import { documented } from "../tools/shell/documented.ts";
import type { Target } from "../tools/target.ts";
import { EXIT } from "./exit-status.ts";
import { toolOutput } from "./tool-output.ts";
import { addTlsOptions, gather, readTarget, readTime, timeoutOption, tlsOf, type TlsOptions } from "./tool-options.ts";

interface ProbeCommandOptions extends TlsOptions {
  readonly storage?: readonly string[];
  readonly write?: true;
  readonly nagios?: true;
  readonly warning?: number;
  readonly critical?: number;
  readonly timeout: number;
  readonly json?: true;
}

/** `zeo-proxy probe`: what is at an address. */
export function probeCommand(): Command {
  const command = new Command("probe")
    .description("Look at a ZEO server or a proxy: is it there, what does it speak, what does it tell.")
    .argument("<address>", "HOST:PORT or a Unix socket's path", readTarget)
    .addOption(
      new Option("--storage <name>", 'a storage to ask for (default: "1"); several with commas').argParser(gather),
    )
    .option(
      "--write",
      "make a transaction that creates an object which nothing refers to, and see what others are told",
    )
    .addOption(new Option("--nagios", "one line for a monitor").conflicts("json"))
    .addOption(new Option("--warning <time>", "with --nagios: the longest good round trip").argParser(readTime))
    .addOption(new Option("--critical <time>", "with --nagios: the longest bearable one").argParser(readTime))
    .addOption(timeoutOption("10s"))
    .option("--json", "one JSON object");
  addTlsOptions(command);
  return documented(command, {
    examples: [
      "zeo-proxy probe 127.0.0.1:8100",
      ["does it tell of what is created? (writes one small object)", "zeo-proxy probe 127.0.0.1:8100 --write"],
      "zeo-proxy probe zeo.example.com:8100 --storage main,temp --json",
      [
        "as a check of Nagios, Icinga and others",
        "zeo-proxy probe 127.0.0.1:9100 --nagios --warning 100ms --critical 1s",
      ],
    ],
    notes: [
      "Without --write nothing is written, and whether the server is patched shows only where it is not: something that was created of late is missing from what it says has changed.",
    ],
    exits: [
      ["0", "all is well; --nagios: OK"],
      ["1", "nobody is there, or a storage can't be had; --nagios: WARNING"],
      ["2", "a wrong command line; --nagios: CRITICAL"],
      ["3", "--nagios: UNKNOWN, a wrong command line"],
    ],
  }).action(async (target: Target, options: ProbeCommandOptions) => {
    process.exitCode = await run(target, options, command);
  });
}

async function run(target: Target, options: ProbeCommandOptions, command: Command): Promise<number> {
  const tls = tlsOf(options, command);
  const output = toolOutput();
  const { probe } = await import("../tools/probe/probe.ts");
  const found = await probe({
    target,
    ...(tls === undefined ? {} : { tls }),
    storages: options.storage ?? ["1"],
    write: options.write === true,
    brief: options.nagios === true,
    timeoutMs: options.timeout,
    doing: (what) => output.progress(`${what} ...`),
  });
  output.progress("");
  if (options.nagios === true) {
    const { nagios } = await import("../tools/probe/nagios.ts");
    const [line, status] = nagios(found, { warningMs: options.warning, criticalMs: options.critical }, Date.now());
    output.print(line);
    return status;
  }
  const { probeFields, probeText } = await import("../tools/probe/report.ts");
  output.print(
    options.json === true ? `${JSON.stringify(probeFields(found, Date.now()))}\n` : probeText(found, output),
  );
  return found.problems.length === 0 ? EXIT.ok : EXIT.failed;
}
