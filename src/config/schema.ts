import { z } from "zod";
import { formatAddress, parseAddress } from "./address.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.ts";

// Types, messages and defaults all come from this schema. Every message says what was expected; the loader adds what
// was found, and where. `change` is what a changed value takes in a proxy that runs (src/config/changes.ts):
// "at once": it acts without touching a connection; "the upstream": that one is closed and opened anew; "restart".

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

const listen = address('HOST:PORT such as 127.0.0.1:9100 or "[::1]:9100", port 0 for any free one', 0);
const server = address('HOST:PORT such as 127.0.0.1:8100, "[::1]:8100" or zeo.example.com:8100', 1);

const nameExpected = "a name of 1 to 300 characters, none of them a control character";
const name = z
  .string({ error: nameExpected })
  .max(300, { error: nameExpected })
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, { error: nameExpected });

const SWITCH = ["on", "off"] as const;

const storageExpected = 'the name of a storage such as "1", in quotes';
const storage = z
  .string({ error: storageExpected })
  .min(1, { error: storageExpected })
  .max(300, { error: storageExpected });

const upstream = map({
  name: name
    .optional()
    .describe("what logs and statistics call it; the server's address if left out")
    .meta({ change: "at once" }),
  listen: listen.describe("where clients connect; port 0 takes any free one").meta({ change: "the upstream" }),
  server: server.describe("the ZEO server").meta({ change: "the upstream" }),
  witness: z
    .enum(SWITCH, { error: oneOf(SWITCH) })
    .prefault("on")
    .describe("read what is committed without passing through here, over a connection of the proxy's own")
    .meta({ change: "the upstream" }),
  storages: z
    .array(storage, { error: "a list of names of storages" })
    .prefault([])
    .describe("storages whose witness begins when the server is there, not with the first client that registers")
    .meta({ change: "the upstream" }),
});

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export const LOG_FORMATS = ["auto", "json", "pretty"] as const;
export const REPAIR_LINES = ["each", "summary"] as const;

const log = map({
  level: z
    .enum(LOG_LEVELS, { error: oneOf(LOG_LEVELS) })
    .prefault("info")
    .describe("the least important lines to write")
    .meta({ change: "at once" }),
  format: z
    .enum(LOG_FORMATS, { error: oneOf(LOG_FORMATS) })
    .prefault("auto")
    .describe("auto is pretty on a terminal, JSON elsewhere")
    .meta({ change: "restart" }),
  oids: whole(0, 100_000)
    .prefault(20)
    .describe("how many of the added oids a repair's line lists")
    .meta({ change: "at once" }),
  repairs: z
    .enum(REPAIR_LINES, { error: oneOf(REPAIR_LINES) })
    .prefault("each")
    .describe("a line for each repair, or one a minute for each storage that says how many")
    .meta({ change: "at once" }),
});

const limits = map({
  clients: whole(1, 1_000_000)
    .prefault(10_000)
    .describe("client connections of the process; at this number it stops listening until one ends")
    .meta({ change: "at once" }),
  frame: size(64 * KIB, 2 * GIB)
    .prefault("2GiB")
    .describe("the largest frame that is relayed")
    .meta({ change: "at once" }),
  memory: size(MIB, 1024 * GIB)
    .prefault("512MiB")
    .describe(
      "what the process may keep of messages on their way; beyond it the client with most of it is disconnected",
    )
    .meta({ change: "at once" }),
  history: size(KIB, 64 * GIB)
    .prefault("64MiB")
    .describe("memory for the oids of past transactions, per storage; older ones are forgotten")
    .meta({ change: "at once" }),
  handshake: duration(10, HOUR)
    .prefault("30s")
    .describe("how long a server may take to greet, and a client to register")
    .meta({ change: "at once" }),
  stalled: duration(10, HOUR)
    .prefault("60s")
    .describe("a client that takes nothing for so long of what waits for it is disconnected")
    .meta({ change: "at once" }),
  drain: duration(0, HOUR)
    .prefault("10s")
    .describe("how long a stop waits for finishing commits and outboxes")
    .meta({ change: "at once" }),
}).transform((given) => ({
  clients: given.clients,
  frameBytes: given.frame,
  memoryBytes: given.memory,
  historyBytes: given.history,
  handshakeMs: given.handshake,
  stalledMs: given.stalled,
  drainMs: given.drain,
}));

const witness = map({
  poll: duration(10, HOUR)
    .prefault("1s")
    .describe("how often a server before ZEO 5 is asked for its last transaction, as it tells nobody of creations")
    .meta({ change: "at once" }),
  hold: duration(10, HOUR)
    .prefault("2s")
    .describe("how long anything waits for the witness; then its client is disconnected, to verify its cache")
    .meta({ change: "at once" }),
  "catch-up": map({
    transactions: whole(1, 10_000_000)
      .prefault(10_000)
      .describe("so many transactions are read at once, at most")
      .meta({ change: "at once" }),
    time: duration(10, HOUR).prefault("30s").describe("so long that may take").meta({ change: "at once" }),
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
    .describe("the servers to stand before"),
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
    .describe("clients whose protocol can't be repaired (TLS, something newer) are relayed as they are, or refused")
    .meta({ change: "at once" }),
}).transform((given) => ({
  upstreams: named(given.upstreams),
  log: given.log,
  limits: given.limits,
  witness: given.witness,
  keepAliveMs: given["keep-alive"],
  unknownProtocol: given["unknown-protocol"],
}));

/** A configuration as written in YAML: kebab-case keys, units in strings, only `upstreams` required. */
export type ConfigInput = z.input<typeof configSchema>;

/** A checked configuration: every value present, sizes in bytes, times in milliseconds. */
export type Config = z.output<typeof configSchema>;

/** One listening address and the server behind it. */
export type UpstreamConfig = Config["upstreams"][number];

function map<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: `a map with the keys ${Object.keys(shape).join(", ")}` });
}

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
    if (read !== undefined && read.port >= minPort) return read;
    context.addIssue({ code: "custom", message: expected, input: text });
    return z.NEVER;
  });
}

function oneOf(values: readonly string[]): string {
  return `one of ${values.join(", ")}`;
}

/** Gives a nameless upstream its server's address, numbered where several share one. */
function named(upstreams: readonly z.output<typeof upstream>[]) {
  const taken = new Set(upstreams.map((one) => one.name));
  return upstreams.map(({ name: given, ...addresses }) => {
    if (given !== undefined) return { name: given, ...addresses };
    const base = formatAddress(addresses.server);
    let free = base;
    for (let number = 2; taken.has(free); number++) free = `${base}#${number}`;
    taken.add(free);
    return { name: free, ...addresses };
  });
}
