import { Command } from "commander";
import { readSecrets } from "../admin/secrets.ts";
import { formatAddress } from "../config/address.ts";
import { loadConfig } from "../config/load.ts";
import { documented } from "../tools/shell/documented.ts";
import { print } from "./output.ts";

/** `zeo-proxy check FILE`: reads a configuration, starts nothing. */
export function checkCommand(): Command {
  const command = new Command("check")
    .description("Check a configuration file; start nothing.")
    .argument("<file>", "the YAML file");
  return documented(command, {
    examples: ["zeo-proxy check /etc/zeo-proxy.yaml"],
    exits: [
      ["0", "the file is good"],
      ["2", "it is not, or can't be read"],
    ],
  }).action((file: string) => {
    const { admin, upstreams } = loadConfig(file);
    // As the start does: what that refuses is no good file.
    if (admin !== undefined) readSecrets(admin);
    const lines = upstreams.map(
      ({ name, listen, server }) => `  ${name}: ${formatAddress(listen)} before ${formatAddress(server)}`,
    );
    print(`${[`${file}: good`, ...lines].join("\n")}\n`);
  });
}
