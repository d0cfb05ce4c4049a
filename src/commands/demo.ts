import { Command, InvalidArgumentError, Option } from "commander";
import type { TcpAddress } from "../config/address.ts";
import { parseTcpAddress } from "../config/address.ts";
import { documented } from "../tools/shell/documented.ts";
import type { DemoOptions } from "./run-demo.ts";

/** `zeo-proxy demo`: shows on an embedded server what the proxy is for. */
export function demoCommand(): Command {
  const command = new Command("demo")
    .description("Show what the proxy does: an embedded unpatched server, a writer and two watchers.")
    .option("--once", "end when everything was shown, instead of at Ctrl-C")
    .addOption(
      new Option("--protocol <name>", "what the server speaks: ZEO 4, ZEO 5 and 6, or the same with msgpack")
        .choices(["Z4", "Z5", "M5"])
        .default("Z5"),
    )
    .addOption(
      new Option("--listen <host:port>", "where the proxy listens (default: 127.0.0.1:9100, or a free port)").argParser(
        readAddress,
      ),
    )
    .addOption(
      new Option("--server-port <port>", "where the server listens (default: 8100, or a free port)").argParser(
        readPort,
      ),
    );
  return documented(command, {
    examples: [
      "zeo-proxy demo",
      "zeo-proxy demo --once --protocol Z4",
      "zeo-proxy demo --listen 127.0.0.1:0 --server-port 0",
    ],
    exits: [
      ["0", "the watcher behind the proxy was told of everything"],
      ["1", "it was not"],
    ],
  }).action(async (options: DemoOptions) => {
    // The embedded server is loaded for nobody else.
    const { runDemo } = await import("./run-demo.ts");
    process.exitCode = await runDemo(options);
  });
}

function readAddress(text: string): TcpAddress {
  const address = parseTcpAddress(text);
  if (address === undefined) throw new InvalidArgumentError("expected HOST:PORT such as 127.0.0.1:9100.");
  return address;
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError("expected a port from 0 to 65535.");
  return port;
}
