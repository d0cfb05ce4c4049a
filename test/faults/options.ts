import { parseArgs } from "node:util";

/** The servers that are tried, in turn; the clients are of the same packages. */
export const SERVERS = ["zeo4-py27", "zeo4-py36", "zodb3-py27", "zeo521-py37", "zeo62-py312"] as const;

export type ServerName = (typeof SERVERS)[number];

/** What can go wrong in a round; each draws some of those that are allowed. */
export const CAUSES = [
  "direct",
  "proxy-kills",
  "server-kills",
  "client-kills",
  "server-cuts",
  "client-cuts",
  "slow",
] as const;

export type Cause = (typeof CAUSES)[number];

const SWITCH = ["on", "off"] as const;
const DEFAULT_SECONDS = 5;

export const USAGE = `npm run faults -- [OPTIONS]
  --rounds N       so many (one for each server)
  --seed N         of the first round; the others follow. What is done is chosen by it, when it happens is the machine's affair
  --server NAME    that one alone: ${SERVERS.join(", ")}
  --proxies 1|2    how many stand before the server (chosen by the seed)
  --seconds N      of load in a round (${DEFAULT_SECONDS})
  --without A,B    leaves out: ${CAUSES.join(", ")}
  --only A,B       these alone
  --no-direct      --without direct
  --no-kills       --without proxy-kills,server-kills,client-kills
  --witness on|off writes that into the proxy's configuration
  --strict         sessions that the proxy ends, and getInvalidations that are answered None, are faults
  --plant          an oid of some invalidations is changed on its way to the client: that must be found
  --keep           leaves the folders of all rounds, not only of those that found something
  --help`;

export interface Options {
  readonly rounds: number;
  readonly seed: number;
  readonly servers: readonly ServerName[];
  readonly proxies: 1 | 2 | undefined;
  readonly seconds: number;
  readonly causes: ReadonlySet<Cause>;
  readonly witness: "on" | "off" | undefined;
  readonly strict: boolean;
  readonly plant: boolean;
  readonly keep: boolean;
}

export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads the command line; undefined where only the usage was asked for.
 * @param chance a seed where none is given
 * @throws UsageError
 */
export function readOptions(args: readonly string[], chance: () => number): Options | undefined {
  const { values } = parse(args);
  if (values.help) return undefined;
  const servers = values.server === undefined ? SERVERS : [oneOf(SERVERS, values.server, "server")];
  const only = names(values.only);
  const causes = new Set(only.length > 0 ? only : CAUSES);
  for (const cause of names(values.without)) causes.delete(cause);
  if (values["no-direct"]) causes.delete("direct");
  if (values["no-kills"]) for (const cause of CAUSES) if (cause.endsWith("-kills")) causes.delete(cause);
  const proxies = values.proxies === undefined ? undefined : oneOf(["1", "2"], values.proxies, "number of proxies");
  return {
    rounds: values.rounds === undefined ? servers.length : number(values.rounds, "rounds"),
    seed: values.seed === undefined ? chance() : number(values.seed, "seed"),
    servers,
    proxies: proxies === undefined ? undefined : proxies === "1" ? 1 : 2,
    seconds: number(values.seconds, "seconds"),
    causes,
    witness: values.witness === undefined ? undefined : oneOf(SWITCH, values.witness, "state of the witness"),
    strict: values.strict,
    plant: values.plant,
    keep: values.keep,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        rounds: { type: "string" },
        seed: { type: "string" },
        server: { type: "string" },
        proxies: { type: "string" },
        seconds: { type: "string", default: String(DEFAULT_SECONDS) },
        without: { type: "string", default: "" },
        only: { type: "string", default: "" },
        "no-direct": { type: "boolean", default: false },
        "no-kills": { type: "boolean", default: false },
        witness: { type: "string" },
        strict: { type: "boolean", default: false },
        plant: { type: "boolean", default: false },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isInteger(value))
    throw new UsageError(`--${name}: expected a whole number above 0, got ${text}`);
  return value;
}

function oneOf<T extends string>(all: readonly T[], name: string, what: string): T {
  const found = all.find((one) => one === name);
  if (found === undefined) throw new UsageError(`no ${what} is called ${name}: ${all.join(", ")}`);
  return found;
}

function names(text: string): Cause[] {
  return text
    .split(",")
    .filter((name) => name !== "")
    .map((name) => oneOf(CAUSES, name, "cause"));
}
