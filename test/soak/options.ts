import { parseArgs } from "node:util";

/** Who takes part. `cuts` only when it is asked for; whoever stays to the end and is compared, the observers, always does. */
export const ACTORS = [
  "writers",
  "visitors",
  "bulk",
  "slow",
  "probes",
  "half-open",
  "garbage",
  "kills",
  "cuts",
] as const;

export type ActorName = (typeof ACTORS)[number];

const ON_REQUEST: readonly ActorName[] = ["cuts"];

const DEFAULT_MINUTES = 30;
/** Less is over before everyone has come. */
const LEAST_SECONDS = 20;

export const USAGE = `npm run soak -- [OPTIONS]
  --minutes N      for so long (${DEFAULT_MINUTES})
  --seconds N
  --seed N         the choices of a run that printed it; when things happen is the machine's affair
  --without A,B    leaves some out: ${ACTORS.join(", ")}
  --only A,B       these alone
  --with cuts      server connections are cut now and then, too
  --witness on|off writes that into the proxy's configuration (on)
  --keep           leaves the folder with the proxy's log
  --verbose        prints every problem as it is found`;

export interface Options {
  readonly seconds: number;
  readonly seed: number;
  readonly actors: ReadonlySet<ActorName>;
  /** Does the proxy read what does not pass through it? */
  readonly isWatched: boolean;
  readonly keep: boolean;
  readonly verbose: boolean;
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
  const seconds =
    values.seconds === undefined ? 60 * number(values.minutes, "minutes") : number(values.seconds, "seconds");
  if (seconds < LEAST_SECONDS) throw new UsageError(`at least ${LEAST_SECONDS} seconds`);
  const only = names(values.only);
  const actors = new Set(only.length > 0 ? only : ACTORS.filter((name) => !ON_REQUEST.includes(name)));
  for (const name of names(values.with)) actors.add(name);
  for (const name of names(values.without)) actors.delete(name);
  const seed = values.seed === undefined ? chance() : number(values.seed, "seed");
  const isWatched = values.witness === "on";
  if (!isWatched && values.witness !== "off")
    throw new UsageError(`--witness: expected on or off, got ${values.witness}`);
  return { seconds, seed, actors, isWatched, keep: values.keep, verbose: values.verbose };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        minutes: { type: "string", default: String(DEFAULT_MINUTES) },
        seconds: { type: "string" },
        seed: { type: "string" },
        without: { type: "string", default: "" },
        only: { type: "string", default: "" },
        with: { type: "string", default: "" },
        witness: { type: "string", default: "on" },
        keep: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function number(text: string, name: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value))
    throw new UsageError(`--${name}: expected a number above 0, got ${text}`);
  return value;
}

function names(text: string): ActorName[] {
  return text
    .split(",")
    .filter((name) => name !== "")
    .map((name) => {
      const actor = ACTORS.find((one) => one === name);
      if (actor === undefined) throw new UsageError(`nobody is called ${name}: ${ACTORS.join(", ")}`);
      return actor;
    });
}
