import { Command } from "commander";
import { readSecrets } from "../admin/secrets.ts";
import { formatAddress } from "../config/address.ts";
import { loadConfig } from "../config/load.ts";
import type { Happening } from "../happening/happening.ts";
import { documented } from "../tools/shell/documented.ts";
import { warningsOf } from "../proxy/guards.ts";
import { complain, print } from "./output.ts";

/** `zeo-proxy check FILE`: reads a configuration, starts nothing. */
export function checkCommand(): Command {
  const command = new Command("check")
    .description("Check a configuration file; start nothing.")
    .argument("<file>", "the YAML file");
  return documented(command, {
    examples: ["zeo-proxy check /etc/zeo-proxy.yaml"],
    exits: [
      ["0", "the file is good; what a start would warn of is on standard error"],
      ["2", "it is not, or can't be read"],
    ],
  }).action(async (file: string) => {
    const config = loadConfig(file);
    const { admin, upstreams } = config;
    // As the start does: what that refuses is no good file.
    if (admin !== undefined) readSecrets(admin);
    const lines = upstreams.map(
      ({ name, listen, server }) => `  ${name}: ${formatAddress(listen)} before ${formatAddress(server)}`,
    );
    print(`${[`${file}: good`, ...lines].join("\n")}\n`);
    await warn(warningsOf(config));
  });
}

/** As the log would at the start, on standard error. */
async function warn(warnings: readonly Happening[]): Promise<void> {
  if (warnings.length === 0) return;
  // Seldom, and they take half as long to load as all else.
  const [{ pino }, { writeLines }] = await Promise.all([import("pino"), import("../report/log-lines.ts")]);
  const write = (line: string): void => {
    const { msg, level: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
    const where = Object.entries(fields).map(([key, value]) => `${key} ${String(value)}`);
    complain(`warning: ${String(msg)} (${where.join(", ")})`);
  };
  const logger = pino({ level: "warn", base: null, timestamp: false }, { write });
  for (const warning of warnings) writeLines(logger, { repairs: "each", oids: 0 })(warning);
}
