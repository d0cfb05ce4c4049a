import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseAddress, type Address } from "../config/address.ts";
import { parseConfigText } from "../config/load.ts";
import { codeOf } from "../net/system-error.ts";
import type { Target } from "../tools/target.ts";
import { documented } from "../tools/shell/documented.ts";
import { asOptions } from "./as-options.ts";
import { EXIT } from "./exit-status.ts";
import { complain } from "./output.ts";
import { toolOutput } from "./tool-output.ts";
import { addTlsOptions, gather, timeoutOption, tlsOf, type TlsOptions } from "./tool-options.ts";

interface InitOptions extends TlsOptions {
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
      new Option("-s, --server <address>", "the ZEO server, HOST:PORT or a path")
        .argParser(readAddress)
        .default(readAddress("127.0.0.1:8100"), "127.0.0.1:8100"),
    )
    .addOption(
      new Option("-l, --listen <address>", "where clients are to connect, HOST:PORT or a path")
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
  addTlsOptions(command);
  return documented(command, {
    examples: [
      "zeo-proxy init --server 127.0.0.1:8100",
      "zeo-proxy init --server zeo.example.com:8100 --listen 0.0.0.0:9100 --output /etc/zeo-proxy.yaml",
      "zeo-proxy init --server zeo.example.com:8100 --tls-ca /etc/zeo-proxy/zeo.pem",
    ],
    exits: [
      ["0", "the file is written, and is good"],
      ["1", "the server is not there, or the file can't be written; nothing was written"],
      ["2", "a wrong command line, or two addresses that can't work together"],
    ],
  }).action(async (options: InitOptions) => {
    process.exitCode = await run(options, command);
  });
}

async function run(options: InitOptions, command: Command): Promise<number> {
  const { server, listen, output: file, timeout: timeoutMs } = options;
  const output = toolOutput();
  const tls = tlsOf(options, command);
  const serverTls = tls === undefined ? undefined : serverTlsOf(options);
  const { configText } = await import("../tools/init/config-text.ts");
  // A pair of addresses that can't work is told before anything is asked.
  asOptions(() => parseConfigText(configText({ server, listen, serverTls, found: undefined }), file));
  const { probe } = await import("../tools/probe/probe.ts");
  const found = options.probe
    ? await probe({
        target: targetOf(server),
        ...(tls === undefined ? {} : { tls }),
        storages: options.storage ?? ["1"],
        write: false,
        brief: options.json !== true,
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
  const look = found?.look;
  if (tls === undefined && look?.kind === "zeo" && look.tls !== undefined) {
    complain(
      `${found?.address}: it speaks TLS: whose certificate is it to have (--tls-ca, or --tls for those that Node trusts)?`,
    );
    complain("nothing written (--no-probe writes it all the same)");
    return EXIT.failed;
  }
  const text = configText({ server, listen, serverTls, found });
  // What is written here must be good.
  asOptions(() => parseConfigText(text, file));
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
  return EXIT.ok;
}

function targetOf(server: Address): Target {
  return server.path === undefined ? { kind: "tcp", address: server } : { kind: "unix", path: server.path };
}

/** As the configuration spells it: there all files are absolute. */
function serverTlsOf({ tlsCa, tlsCertificate, tlsKey, tlsName, tlsInsecure }: TlsOptions): Record<string, string> {
  return {
    ...(tlsCa !== undefined && { ca: resolve(tlsCa) }),
    ...(tlsCertificate !== undefined && { certificate: resolve(tlsCertificate) }),
    ...(tlsKey !== undefined && { key: resolve(tlsKey) }),
    ...(tlsName !== undefined && { name: tlsName }),
    verify: tlsInsecure === true ? "off" : "on",
  };
}

function readAddress(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined || address.port === 0) {
    throw new InvalidArgumentError("expected HOST:PORT such as 127.0.0.1:8100, or an absolute path.");
  }
  return address;
}
