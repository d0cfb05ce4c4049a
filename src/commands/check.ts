import { Command } from "commander";
import { formatAddress } from "../config/address.ts";
import { loadConfig } from "../config/load.ts";
import { print } from "./output.ts";

/** `zeo-proxy check FILE`: reads a configuration, starts nothing. */
export function checkCommand(): Command {
  return new Command("check")
    .description("Check a configuration file; start nothing.")
    .argument("<file>", "the YAML file")
    .addHelpText("after", "\nExample:\n  $ zeo-proxy check /etc/zeo-proxy.yaml")
    .action((file: string) => {
      const { upstreams } = loadConfig(file);
      const lines = upstreams.map(
        ({ name, listen, server }) => `  ${name}: ${formatAddress(listen)} before ${formatAddress(server)}`,
      );
      print(`${[`${file}: good`, ...lines].join("\n")}\n`);
    });
}
