import { Command, Option } from "commander";
import { documented } from "../tools/shell/documented.ts";
import { addAdminOptions, adminOf, type AdminOptions } from "./admin-options.ts";
import { EXIT } from "./exit-status.ts";
import { toolOutput } from "./tool-output.ts";
import { whenEnded } from "./tool-end.ts";
import { readTime, timeoutOption } from "./tool-options.ts";

interface StatusCommandOptions extends AdminOptions {
  readonly watch?: number | true;
  readonly json?: true;
}

const EVERY_MS = 2_000;

/** `zeo-proxy status`: what a running proxy does, asked from its admin server. */
export function statusCommand(): Command {
  const command = new Command("status").description("Show what a running proxy does.");
  addAdminOptions(command)
    .addOption(new Option("--watch [time]", "show it again so often (2s)").argParser(readTime))
    .addOption(timeoutOption("10s"))
    .option("--json", "as the proxy says it; with --watch a line each time");
  return documented(command, {
    examples: [
      "zeo-proxy status",
      "zeo-proxy status --watch",
      "zeo-proxy status --config /etc/zeo-proxy.yaml",
      "zeo-proxy status --admin /run/zeo-proxy/admin.sock",
      "zeo-proxy status --admin https://proxy.example.com:9180 --token-file /etc/zeo-proxy.token --tls-ca ca.pem",
    ],
    exits: [
      ["0", "the status was shown; --watch: ended by a signal"],
      ["1", "it can't be had"],
      ["2", "a wrong command line or configuration"],
    ],
  }).action(async (options: StatusCommandOptions) => {
    process.exitCode = await run(options, command);
  });
}

async function run(options: StatusCommandOptions, command: Command): Promise<number> {
  const { watch, json } = options;
  const admin = adminOf(options, command);
  const { showStatus } = await import("../tools/status/status.ts");
  const everyMs = watch === true ? EVERY_MS : watch;
  const isShown = await showStatus({ admin, json: json === true, everyMs }, toolOutput(), whenEnded());
  return isShown ? EXIT.ok : EXIT.failed;
}
