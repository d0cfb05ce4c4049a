import { Command, InvalidArgumentError, Option } from "commander";
import { documented } from "../tools/shell/documented.ts";
import { parseAdmin } from "../tools/status/fetch.ts";
import { EXIT } from "./exit-status.ts";
import { toolOutput } from "./tool-output.ts";
import { whenEnded } from "./tool-end.ts";
import { readFileOption, readTime, timeoutOption } from "./tool-options.ts";

interface StatusCommandOptions {
  readonly admin: URL;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  readonly watch?: number | true;
  readonly timeout: number;
  readonly json?: true;
}

const EVERY_MS = 2_000;

/** `zeo-proxy status`: what a running proxy does, asked from its admin server. */
export function statusCommand(): Command {
  const command = new Command("status")
    .description("Show what a running proxy does.")
    .addOption(
      new Option("--admin <address>", "its admin server: HOST:PORT, or a URL")
        .argParser(readAdmin)
        .default(readAdmin("127.0.0.1:9180"), "127.0.0.1:9180"),
    )
    .option("--token-file <file>", "a file with the token that the admin server wants")
    .option("--tls-ca <file>", "the authority of its certificate (PEM), with an https: URL")
    .addOption(new Option("--watch [time]", "show it again so often (2s)").argParser(readTime))
    .addOption(timeoutOption("10s"))
    .option("--json", "as the proxy says it; with --watch a line each time");
  return documented(command, {
    examples: [
      "zeo-proxy status",
      "zeo-proxy status --watch",
      "zeo-proxy status --admin https://proxy.example.com:9180 --token-file /etc/zeo-proxy.token --tls-ca ca.pem",
    ],
    exits: [
      ["0", "the status was shown; --watch: ended by a signal"],
      ["1", "it can't be had"],
      ["2", "a wrong command line"],
    ],
  }).action(async (options: StatusCommandOptions) => {
    process.exitCode = await run(options, command);
  });
}

async function run(options: StatusCommandOptions, command: Command): Promise<number> {
  const { admin: url, tokenFile, tlsCa, watch, timeout: timeoutMs, json } = options;
  const token = tokenFile === undefined ? undefined : readFileOption(tokenFile, command).toString("utf8").trim();
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) command.error(`error: no token in ${tokenFile}`);
  const ca = tlsCa === undefined ? undefined : readFileOption(tlsCa, command);
  const { showStatus } = await import("../tools/status/status.ts");
  const everyMs = watch === true ? EVERY_MS : watch;
  const isShown = await showStatus(
    { admin: { url, token, ca, timeoutMs }, json: json === true, everyMs },
    toolOutput(),
    whenEnded(),
  );
  return isShown ? EXIT.ok : EXIT.failed;
}

function readAdmin(text: string): URL {
  const url = parseAdmin(text);
  if (url === undefined) throw new InvalidArgumentError("expected HOST:PORT such as 127.0.0.1:9180, or a URL.");
  return url;
}
