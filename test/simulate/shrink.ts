import { BARE, DEEDS, FAULTS, mixOf, type Mix, type Overrides } from "./mix.ts";

/** A run that fails: `overrides` say all that is in it. */
export interface Failing {
  readonly seed: number;
  readonly overrides: Overrides;
}

/** Tries one. @returns the name of its violation */
export type Attempt = (seed: number, overrides: Overrides) => string | undefined;

/** Other seeds that are tried with each smaller mix: what is left out changes what chance does. */
const NEIGHBOURS = 12;

type Change = (mix: Mix) => Mix | undefined;

/** Makes a run that fails smaller, while it fails in the same way. `most`: so many runs are tried. */
export function shrink(failing: Failing, name: string, attempt: Attempt, most: number): Failing {
  let { seed } = failing;
  let mix = mixOf(failing.seed, failing.overrides);
  let left = most;
  const fails = (smaller: Mix): number | undefined => {
    for (let i = 0; i <= NEIGHBOURS && left > 0; i++) {
      left--;
      const other = i === 0 ? seed : ((seed * 31 + i * 7919) % 1_000_000) + 1;
      if (attempt(other, explicit(smaller)) === name) return other;
    }
    return undefined;
  };
  for (let again = true; again && left > 0;) {
    again = false;
    for (const change of CHANGES) {
      const smaller = change(mix);
      if (smaller === undefined || isSame(smaller, mix)) continue;
      const found = fails(smaller);
      if (found === undefined) continue;
      mix = smaller;
      seed = found;
      again = true;
    }
  }
  return { seed, overrides: explicit(mix) };
}

/** All that is not as in the bare mix. */
export function explicit(mix: Mix): Overrides {
  const differing = (part: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(part).filter(([, value]) => value !== 0));
  const plain = Object.entries(mix).filter(
    ([key, value]) =>
      key !== "deeds" && key !== "faults" && JSON.stringify(value) !== JSON.stringify(BARE[key as keyof Mix]),
  );
  return { bare: true, ...Object.fromEntries(plain), deeds: differing(mix.deeds), faults: differing(mix.faults) };
}

function isSame(a: Mix, b: Mix): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Sets one number or choice to its bare value. */
function asBare(key: keyof Mix): Change {
  return (mix) => ({ ...mix, [key]: BARE[key] });
}

function lower(key: "clients" | "decisions" | "objects", least: number, by: (value: number) => number): Change {
  return (mix) => (mix[key] <= least ? undefined : { ...mix, [key]: Math.max(least, by(mix[key])) });
}

const half = (value: number): number => Math.floor(value / 2);
const lessOne = (value: number): number => value - 1;
const lessFifth = (value: number): number => Math.floor(value * 0.8);

/** What takes most away comes first. */
const CHANGES: readonly Change[] = [
  (mix) => ({ ...mix, faults: BARE.faults }),
  asBare("strangers"),
  asBare("foreign"),
  asBare("proxies"),
  (mix) => ({ ...mix, servers: mix.servers.slice(0, 1) }),
  lower("decisions", 1, half),
  lower("clients", 1, half),
  ...FAULTS.map((fault): Change => (mix) => ({ ...mix, faults: { ...mix.faults, [fault]: 0 } })),
  ...DEEDS.map((deed): Change => (mix) => ({ ...mix, deeds: { ...mix.deeds, [deed]: 0 } })),
  asBare("fanOut"),
  asBare("tuples"),
  (mix) => ({ ...mix, copiesBelow: 0 }),
  asBare("emptyTid"),
  asBare("resolves"),
  asBare("infos"),
  asBare("newOnOld"),
  asBare("zeroIds"),
  asBare("aborts"),
  asBare("noneSerials"),
  asBare("doors"),
  asBare("downMs"),
  asBare("macs"),
  asBare("frameBytes"),
  asBare("isFull"),
  asBare("refuseUnknown"),
  asBare("history"),
  asBare("outbox"),
  asBare("serverQueue"),
  asBare("largeBytes"),
  asBare("chop"),
  asBare("stalls"),
  asBare("stallUs"),
  asBare("window"),
  asBare("highWater"),
  asBare("latencyUs"),
  asBare("thinkMs"),
  asBare("burst"),
  lower("objects", 1, half),
  lower("clients", 1, lessOne),
  lower("decisions", 1, lessFifth),
  lower("decisions", 1, lessOne),
];
