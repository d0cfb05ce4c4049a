import { Command } from "commander";
import { escapeText } from "../log/text.ts";
import { askAdmin, NoAnswer } from "../tools/admin-request.ts";
import { documented } from "../tools/shell/documented.ts";
import { addAdminOptions, adminOf, type AdminOptions } from "./admin-options.ts";
import { EXIT } from "./exit-status.ts";
import { complain } from "./output.ts";
import { timeoutOption } from "./tool-options.ts";

interface HealthOptions extends AdminOptions {
  readonly ready?: true;
}

/** `zeo-proxy health`: does a proxy live, as an exit status. */
export function healthCommand(): Command {
  const command = new Command("health").description(
    "Ask a running proxy whether it lives, or is ready; say nothing if so.",
  );
  addAdminOptions(command)
    .option("--ready", "does every upstream accept clients (/readyz), and not only: does the process answer (/livez)")
    .addOption(timeoutOption("3s"));
  return documented(command, {
    examples: [
      "zeo-proxy health --config /etc/zeo-proxy.yaml",
      "zeo-proxy health --config /etc/zeo-proxy.yaml --ready",
      "zeo-proxy health --admin 127.0.0.1:9180",
    ],
    notes: [
      "A proxy lives whether its servers do or not: to start it again helps no server. So a health check that starts it again asks without --ready.",
      "Of the configuration only admin is read. Its certificate must be the very one that the proxy shows.",
    ],
    exits: [
      ["0", "it does"],
      ["1", "it does not, or does not answer; standard error has why"],
      ["2", "a wrong command line or configuration"],
    ],
  }).action(async (options: HealthOptions) => {
    process.exitCode = await run(options, command);
  });
}

async function run(options: HealthOptions, command: Command): Promise<number> {
  try {
    const admin = adminOf(options, command);
    const { status, body } = await askAdmin(admin, options.ready === true ? "readyz" : "livez");
    if (status === 200) return EXIT.ok;
    const lines = status === 503 ? body.trim().split("\n") : [`the answer is HTTP ${status}: no zeo-proxy?`];
    for (const line of lines) complain(`${admin.place.name}: ${escapeText(line)}`);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    complain(error.message);
  }
  return EXIT.failed;
}
