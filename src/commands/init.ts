import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseAddress, type Address } from "../config/address.ts";
import { parseConfigText } from "../config/load.ts";
import { codeOf } from "../net/system-error.ts";
import { documented } from "../tools/shell/documented.ts";
import { EXIT } from "./exit-status.ts";
import { complain } from "./output.ts";
import { toolOutput } from "./tool-output.ts";
import { gather, timeoutOption } from "./tool-options.ts";

interface InitOptions {
  readonly server: Address;
  readonly listen: Address;
  readonly output: string;
  readonly storage?: readonly string[];
  readonly force?: true;
  readonly probe: boolean;
  readonly timeout: number;
  readonly json?: true;
}

/** `zeo-proxy init`: a configuration for a server. */
export function initCommand(): Command {
  const command = new Command("init")
    .description("Write a commented configuration for a server, which is looked at first.")
    .addOption(
      new Option("-s, --server <host:port>", "the ZEO server")
        .argParser(readAddress)
        .default(readAddress("127.0.0.1:8100"), "127.0.0.1:8100"),
    )
    .addOption(
      new Option("-l, --listen <host:port>", "where clients are to connect")
        .argParser(readAddress)
        .default(readAddress("127.0.0.1:9100"), "127.0.0.1:9100"),
    )
    .addOption(
      new Option("--storage <name>", 'a storage of the server (default: "1"); several with commas').argParser(gather),
    )
    .option("-o, --output <file>", "where to write it; - is standard output", "zeo-proxy.yaml")
    .option("--force", "overwrite a file that is there")
    .option("--no-probe", "write it without a look at the server")
    .addOption(timeoutOption("10s"))
    .option("--json", "say as JSON what was found and written");
  return documented(command, {
    examples: [
      "zeo-proxy init --server 127.0.0.1:8100",
      "zeo-proxy init --server zeo.example.com:8100 --listen 0.0.0.0:9100 --output /etc/zeo-proxy.yaml",
    ],
    exits: [
      ["0", "the file is written, and is good"],
      ["1", "the server is not there, or the file can't be written; nothing was written"],
      ["2", "a wrong command line, or two addresses that can't work together"],
    ],
  }).action(async (options: InitOptions) => {
    process.exitCode = await run(options);
  });
}

async function run(options: InitOptions): Promise<number> {
  const { server, listen, output: file, timeout: timeoutMs } = options;
  const output = toolOutput();
  const { configText } = await import("../tools/init/config-text.ts");
  // A pair of addresses that can't work is told before anything is asked.
  parseConfigText(configText({ server, listen, found: undefined }), file);
  const { probe } = await import("../tools/probe/probe.ts");
  const found = options.probe
    ? await probe({
        target: { kind: "tcp", address: server },
        storages: options.storage ?? ["1"],
        write: false,
        timeoutMs,
        doing: (what) => output.progress(`${what} ...`),
      })
    : undefined;
  output.progress("");
  if (found !== undefined && found.problems.length > 0) {
    for (const problem of found.problems) complain(`${found.address}: ${problem}`);
    complain("nothing written (--no-probe writes it all the same, --storage names another storage)");
    return EXIT.failed;
  }
  const text = configText({ server, listen, found });
  // What is written here must be good.
  parseConfigText(text, file);
  if (file === "-") {
    output.print(text);
    return EXIT.ok;
  }
  try {
    writeFileSync(file, text, { flag: options.force === true ? "w" : "wx" });
  } catch (error) {
    const code = codeOf(error);
    complain(code === "EEXIST" ? `${file} is there already (--force overwrites it)` : `can't write ${file}: ${code}`);
    return EXIT.failed;
  }
  if (options.json === true) {
    const { probeFields } = await import("../tools/probe/report.ts");
    const fields = { file, found: found === undefined ? null : probeFields(found, Date.now()) };
    output.print(`${JSON.stringify(fields)}\n`);
    return EXIT.ok;
  }
  output.print(`${file}: written; next:\n  zeo-proxy check ${file}\n  zeo-proxy run --config ${file}\n`);
  const look = found?.look;
  if (look?.kind === "zeo" && look.tls !== undefined) {
    output.note("zeo-proxy: the server speaks TLS: see what the configuration has for it");
  }
  return EXIT.ok;
}

function readAddress(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined || address.port === 0) {
    throw new InvalidArgumentError("expected HOST:PORT such as 127.0.0.1:8100.");
  }
  return address;
}
