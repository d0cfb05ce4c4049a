import { z } from "zod";
import { adminSchema } from "./admin.ts";
import { admissionOf, admissionOptions } from "./admission.ts";
import { formatAddress, parseAddress, type Address } from "./address.ts";
import { PATH, SERVER } from "./expected.ts";
import { map, oneOf, SWITCH } from "./schema-parts.ts";
import { serverTls, socket, tls } from "./transport-schema.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

// Types, messages and defaults all come from this schema. Every message says what was expected; the loader adds what
// was found, and where. So does the table of options in docs/configuration.md (`npm run docs`): `describe` is what an option
// means, `unset` what it is where it has no default and is left out, `change` what a new value touches: nothing that is
// connected (`at once`), its upstream, which is closed and opened anew (`the upstream`), or everything (`restart`); `example` is what
// `zeo-proxy init` shows where there is no default.

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
const HOUR = 3_600_000;

const size = (min: number, max: number) =>
  measured(`a size from ${formatSize(min)} to ${formatSize(max)} such as 64MiB`, parseSize, min, max);

const duration = (min: number, max: number) =>
  measured(`a time from ${formatDuration(min)} to ${formatDuration(max)} such as 30s`, parseDuration, min, max);

const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
};

const listen = address(`HOST:PORT such as 127.0.0.1:9100 or "[::1]:9100", port 0 for any free one, or ${PATH}`, 0);
const server = address(SERVER, 1);
const MOST_SERVERS = 16;
const serversExpected = `a list of 1 to ${MOST_SERVERS} addresses of servers`;

const nameExpected = "a name of 1 to 300 characters, none of them a control character";
const name = z
  .string({ error: nameExpected })
  .max(300, { error: nameExpected })
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, { error: nameExpected });

const REPAIR_MODES = ["on", "observe"] as const;

const storageExpected = 'the name of a storage such as "1", in quotes';
const storage = z
  .string({ error: storageExpected })
  .min(1, { error: storageExpected })
  .max(300, { error: storageExpected });

const NOWHERE: Address = { host: "", port: 0 };

const upstream = map({
  name: name
    .optional()
    .describe("what log and statistics call it")
    .meta({ unset: "the server's address", change: "at once" }),
  listen: listen
    .describe(
      '`HOST:PORT` for clients; `"[::1]:9100"` for IPv6, with the quotes. Port 0 takes any free one and keeps it. Or the ' +
        "absolute path of a [Unix socket](#unix-sockets)",
    )
    .meta({ change: "the upstream" }),
  server: server
    .optional()
    .describe("`HOST:PORT` of the ZEO server, or the absolute path of its Unix socket")
    .meta({ unset: "needed, or `servers`", change: "the upstream" }),
  servers: z
    .array(server, { error: serversExpected })
    .min(1, { error: serversExpected })
    .max(MOST_SERVERS, { error: serversExpected })
    .optional()
    .describe(
      "instead of `server`: where it can be, the primary first, then those that take its place where it is down. See [A standby](#a-standby)",
    )
    .meta({ unset: "none", change: "the upstream", example: ["127.0.0.1:8100", "127.0.0.1:8200"] }),
  socket: socket
    .optional()
    .describe("the file of a listening Unix socket")
    .meta({ unset: "the system's defaults", change: "the upstream" }),
  tls: tls.optional().describe("clients speak TLS: see [TLS](#tls)").meta({ unset: "off", change: "the upstream" }),
  "server-tls": serverTls
    .optional()
    .describe("the server speaks TLS: see [TLS](#tls)")
    .meta({ unset: "off", change: "the upstream" }),
  witness: z
    .enum(SWITCH, { error: oneOf(SWITCH) })
    .prefault("on")
    .describe(
      "`on`: what is committed without passing through here is read from the storage, over a connection of the proxy's " +
        "own; `off`: it is relayed as the server tells it",
    )
    .meta({ change: "the upstream" }),
  repair: z
    .enum(REPAIR_MODES, { error: oneOf(REPAIR_MODES) })
    .prefault("on")
    .describe(
      "`on`: invalidations are repaired; `observe`: every byte is relayed as it comes, and log and statistics tell what would be " +
        "repaired. See [A site's first day](#a-sites-first-day)",
    )
    .meta({ change: "at once" }),
  storages: z
    .array(storage, { error: "a list of names of storages" })
    .prefault([])
    .describe(
      'names of storages, such as `["1"]`, in quotes, whose witness begins as soon as the server greets the proxy. That ' +
        "of any other storage begins when its first client registers, which waits for it. Nothing with `witness: off`",
    )
    .meta({ change: "the upstream" }),
  ...admissionOptions,
}).transform(({ "server-tls": withServer, server: only, servers, ...given }) => {
  // That there is one of the two, and not both, the rules say (rules.ts).
  const [first = NOWHERE, ...standbys] = servers ?? (only === undefined ? [] : [only]);
  return { ...given, server: first, standbys, serverTls: withServer };
});

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
export const REPAIR_LINES = ["each", "summary"] as const;

const log = map({
  level: z
    .enum(LOG_LEVELS, { error: oneOf(LOG_LEVELS) })
    .prefault("info")
    .describe(
      "the least important lines to write: `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent`. Repairs are " +
        "`info`, connections are `debug`",
    )
    .meta({ change: "at once" }),
  format: z
    .enum(LOG_FORMATS, { error: oneOf(LOG_FORMATS) })
    .prefault("auto")
    .describe("`json`, `pretty`; `auto` is pretty on a terminal, JSON elsewhere")
    .meta({ change: "restart" }),
  oids: whole(0, 100_000)
    .prefault(20)
    .describe("how many of the added oids a repair's line lists")
    .meta({ change: "at once" }),
  repairs: z
    .enum(REPAIR_LINES, { error: oneOf(REPAIR_LINES) })
    .prefault("each")
    .describe(
      "`each`: a line for every repair; `summary`: one for all of a storage's, a minute after the first of them, and when " +
        "the proxy stops",
    )
    .meta({ change: "at once" }),
});

const limits = map({
  clients: whole(1, 1_000_000)
    .prefault(10_000)
    .describe(
      "client connections of the process. At this number who has not registered for long makes room; else it stops listening until one ends",
    )
    .meta({ change: "at once" }),
  frame: size(64 * KIB, 2 * GIB)
    .prefault("2GiB")
    .describe("the largest frame that is relayed; a larger one ends its connection")
    .meta({ change: "at once" }),
  memory: size(MIB, 1024 * GIB)
    .prefault("512MiB")
    .describe(
      "what the process may keep of messages on their way; beyond it the client for whom most is kept is disconnected. " +
        "Node itself (some 100 MiB) and `limits.history` come on top",
    )
    .meta({ change: "at once" }),
  history: size(KIB, 64 * GIB)
    .prefault("64MiB")
    .describe("memory for the oids of past transactions, for each storage; older ones are forgotten")
    .meta({ change: "at once" }),
  handshake: duration(10, HOUR)
    .prefault("30s")
    .describe(
      "how long a server may take to greet, and a client to register. A server that greets, and says nothing for so " +
        "long, is down; a client that does not register is disconnected; so long one that was accepted may wait for a " +
        "server that is down",
    )
    .meta({ change: "at once" }),
  stalled: duration(10, HOUR)
    .prefault("60s")
    .describe(
      "a client that takes nothing for so long of what waits for it is disconnected; one that reads slowly is not",
    )
    .meta({ change: "at once" }),
  drain: duration(0, HOUR)
    .prefault("10s")
    .describe("how long a stop waits for commits on their way and for what clients are owed")
    .meta({ change: "at once" }),
  failover: duration(100, HOUR)
    .prefault("10s")
    .describe(
      "how long the server must be down, and say nothing to anybody, before the next of `servers` takes its place",
    )
    .meta({ change: "at once" }),
}).transform((given) => ({
  clients: given.clients,
  frameBytes: given.frame,
  memoryBytes: given.memory,
  historyBytes: given.history,
  handshakeMs: given.handshake,
  stalledMs: given.stalled,
  drainMs: given.drain,
  failoverMs: given.failover,
}));

const witness = map({
  poll: duration(10, HOUR)
    .prefault("1s")
    .describe(
      "how often a server before ZEO 5 is asked for its last transaction, as it tells nobody of one that only created " +
        "objects",
    )
    .meta({ change: "at once" }),
  hold: duration(10, HOUR)
    .prefault("2s")
    .describe("how long anything waits for the witness; then its client is disconnected, so that it verifies its cache")
    .meta({ change: "at once" }),
  "catch-up": map({
    transactions: whole(1, 10_000_000)
      .prefault(10_000)
      .describe("so many transactions are read at once, at most: beyond it clients verify their whole caches")
      .meta({ change: "at once" }),
    time: duration(10, HOUR).prefault("30s").describe("so long may that take").meta({ change: "at once" }),
  })
    .prefault({})
    .describe("what is read at most behind an absence, of a client or of the proxy"),
}).transform((given) => ({
  pollMs: given.poll,
  holdMs: given.hold,
  transactions: given["catch-up"].transactions,
  rangeMs: given["catch-up"].time,
}));

const answers = ["relay", "refuse"] as const;

/** The whole configuration as YAML spells it; its output is {@link Config}. */
export const configSchema = map({
  upstreams: z
    .array(upstream, { error: "a list of upstreams, each with listen and server" })
    .min(1, { error: "at least one upstream with listen and server" })
    .describe("the servers to stand before: one or more of the following")
    .meta({ change: "the upstream" }),
  log: log.prefault({}),
  limits: limits.prefault({}),
  witness: witness.prefault({}),
  "keep-alive": duration(15_000, HOUR)
    .prefault("2m")
    .describe("a host that has gone without a word is found out after so long, on both sides")
    .meta({ change: "at once" }),
  "unknown-protocol": z
    .enum(answers, { error: oneOf(answers) })
    .prefault("relay")
    .describe(
      "TLS, message authentication and unknown protocols are relayed unrepaired (`relay`), or closed (`refuse`)",
    )
    .meta({ change: "at once" }),
  admin: adminSchema
    .optional()
    .describe("metrics, health and status over HTTP")
    .meta({ unset: "none", change: "restart" }),
}).transform((given) => ({
  upstreams: named(given.upstreams),
  log: given.log,
  limits: given.limits,
  witness: given.witness,
  keepAliveMs: given["keep-alive"],
  unknownProtocol: given["unknown-protocol"],
  admin: given.admin,
}));

/** A configuration as written in YAML: kebab-case keys, units in strings, only `upstreams` required. */
export type ConfigInput = z.input<typeof configSchema>;

/** A checked configuration: every value present, sizes in bytes, times in milliseconds. */
export type Config = z.output<typeof configSchema>;

/** One listening address and the server behind it. */
export type UpstreamConfig = Config["upstreams"][number];

function measured(expected: string, read: (text: string) => number | undefined, min: number, max: number) {
  return z.string({ error: expected }).transform((text, context): number => {
    const value = read(text);
    if (value !== undefined && value >= min && value <= max) return value;
    context.addIssue({ code: "custom", message: expected, input: text });
    return z.NEVER;
  });
}

function address(expected: string, minPort: number) {
  return z.string({ error: expected }).transform((text, context) => {
    const read = parseAddress(text);
    if (read !== undefined && (read.port ?? minPort) >= minPort) return read;
    context.addIssue({ code: "custom", message: expected, input: text });
    return z.NEVER;
  });
}

/** Gives a nameless upstream its server's address, numbered where several share one. */
function named(upstreams: readonly z.output<typeof upstream>[]) {
  const taken = new Set(upstreams.map((one) => one.name));
  return upstreams.map(admissionOf).map(({ name: given, ...addresses }) => {
    if (given !== undefined) return { name: given, ...addresses };
    const base = formatAddress(addresses.server);
    let free = base;
    for (let number = 2; taken.has(free); number++) free = `${base}#${number}`;
    taken.add(free);
    return { name: free, ...addresses };
  });
}
