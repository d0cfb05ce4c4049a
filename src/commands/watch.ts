import { Command, InvalidArgumentError, Option } from "commander";
import { documented } from "../tools/shell/documented.ts";
import type { Target } from "../tools/target.ts";
import { parseFilter } from "../tools/watch/filter.ts";
import { parseSince } from "../tools/watch/since.ts";
import type { Tid } from "../wire/ids.ts";
import { EXIT } from "./exit-status.ts";
import { toolOutput } from "./tool-output.ts";
import { whenEnded } from "./tool-end.ts";
import { addTlsOptions, gather, readTarget, readTime, timeoutOption, tlsOf, type TlsOptions } from "./tool-options.ts";

const TLS_OF = ["both", "proxy", "server"] as const;

interface WatchCommandOptions extends TlsOptions {
  readonly tlsOf?: (typeof TLS_OF)[number];
  readonly compare?: true;
  readonly storage: string;
  readonly since?: Tid;
  readonly follow: boolean;
  readonly count?: number;
  readonly oids?: true;
  readonly filter?: readonly string[];
  readonly wait?: true;
  readonly poll: number;
  readonly timeout: number;
  readonly json?: true;
}

/** `zeo-proxy watch`: every transaction with all its objects, as it happens. */
export function watchCommand(): Command {
  const command = new Command("watch")
    .description("Show every transaction of a storage with all its objects, as it happens.")
    .argument("<address...>", "HOST:PORT or a Unix socket's path, of a server or a proxy; with --compare two of them")
    .option("--storage <name>", "the storage", "1")
    .addOption(
      new Option(
        "--since <where>",
        "begin behind this tid, at this time (2026-11-28T10:00, UTC), so long ago (2h), or at the start",
      ).argParser(readSince),
    )
    .option("--no-follow", "end when all is shown that is there now")
    .addOption(new Option("--count <number>", "end after so many transactions").argParser(readCount))
    .option("--oids", "each object on a line of its own")
    .addOption(
      new Option(
        "--filter <what>",
        "only transactions with one of these oids, found like this (told, asked, read), or that were told incompletely (incomplete); several with commas",
      ).argParser(gather),
    )
    .option("--compare", "two addresses, a proxy's and its server's: what either tells of each transaction")
    .option("--wait", "wait for a server that is not there yet")
    .addOption(
      new Option("--poll <time>", "how often the last transaction is asked for: old servers tell of some to nobody")
        .argParser(readTime)
        .default(1_000, "1s"),
    )
    .addOption(timeoutOption("60s"))
    .option("--json", "a JSON object for each transaction, and for what befalls the connection");
  addTlsOptions(command).addOption(
    new Option(
      "--tls-of <which>",
      "with --compare: which of the two addresses speaks TLS, both if it is left out",
    ).choices(TLS_OF),
  );
  return documented(command, {
    examples: [
      "zeo-proxy watch 127.0.0.1:9100",
      [
        "what has changed in the last two hours, and then what changes",
        "zeo-proxy watch 127.0.0.1:8100 --since 2h --oids",
      ],
      ["the whole storage, for a program", "zeo-proxy watch /run/zeo.sock --since start --no-follow --json"],
      ["what an unpatched server leaves out, live", "zeo-proxy watch --compare 127.0.0.1:9100 127.0.0.1:8100"],
      [
        "the same, where clients speak TLS with the proxy and the server speaks none",
        "zeo-proxy watch --compare localhost:9100 127.0.0.1:8100 --tls-of proxy --tls-ca /etc/zeo-proxy/proxy.pem",
      ],
      ["who changes this object", "zeo-proxy watch 127.0.0.1:8100 --filter 0x1f"],
    ],
    exits: [
      ["0", "a signal, the wanted count, or the end of the storage with --no-follow"],
      ["1", "nobody is there, or the storage can't be followed"],
      ["2", "a wrong command line"],
      ["3", "with --compare: the first address, the proxy's, has left something out"],
    ],
  }).action(async (addresses: readonly string[], options: WatchCommandOptions) => {
    process.exitCode = await run(addresses, options, command);
  });
}

async function run(addresses: readonly string[], options: WatchCommandOptions, command: Command): Promise<number> {
  const targets = addresses.map((text) => readAddress(text, command));
  const [first, second] = targets as [Target, Target?];
  const wanted = options.compare === true ? 2 : 1;
  if (targets.length !== wanted) {
    command.error(wanted === 2 ? "error: expected two addresses with --compare" : "error: expected one address");
  }
  const filter = parseFilter(options.filter ?? []);
  if (filter === undefined) command.error("error: --filter: expected oids, told, asked, read, or incomplete");
  const tls = tlsOf(options, command);
  const { tlsOf: which = "both" } = options;
  if (options.tlsOf !== undefined && (tls === undefined || second === undefined)) {
    command.error("error: --tls-of is for --compare with --tls, or another option for TLS");
  }
  const common = {
    storage: options.storage,
    filter,
    oids: options.oids === true,
    json: options.json === true,
    ...(options.count === undefined ? {} : { count: options.count }),
    wait: options.wait === true,
    pollMs: options.poll,
    timeoutMs: options.timeout,
  };
  if (second === undefined) {
    const { watch } = await import("../tools/watch/watch.ts");
    const { since, follow } = options;
    const one = { ...common, target: first, follow };
    const where = { ...(tls === undefined ? {} : { tls }), ...(since === undefined ? {} : { since }) };
    return (await watch({ ...one, ...where }, toolOutput(), whenEnded())) === "done" ? EXIT.ok : EXIT.failed;
  }
  if (options.since !== undefined || !options.follow) {
    command.error("error: --compare shows what happens from now on: expected no --since and no --no-follow");
  }
  const { compare } = await import("../tools/watch/compare.ts");
  const proxyTls = which === "server" ? undefined : tls;
  const serverTls = which === "proxy" ? undefined : tls;
  const sides = { proxy: first, server: second, proxyTls, serverTls };
  const how = await compare({ ...common, ...sides }, toolOutput(), whenEnded());
  return { done: EXIT.ok, failed: EXIT.failed, incomplete: EXIT.incomplete }[how];
}

function readAddress(text: string, command: Command): Target {
  try {
    return readTarget(text);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(`error: command-argument value '${text}' is invalid for argument 'address'. ${error.message}`);
  }
}

function readSince(text: string): Tid {
  const tid = parseSince(text, Date.now());
  if (tid === undefined) {
    throw new InvalidArgumentError("expected a tid (16 hex digits), a time such as 2026-11-28T10:00 or 2h, or start.");
  }
  return tid;
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError("expected a whole number from 1 on.");
  return Number(text);
}
