import { judge } from "./goals.ts";
import type { Figure, Workload } from "./plan.ts";
import type { Pair, Ratio, Result } from "./result.ts";
import type { Sample } from "./rounds.ts";
import { percentile, spread, type Spread } from "./statistics.ts";
import { quietest, type Turn } from "./turns.ts";
import { BARE, SIDES, WATCHED, WAYS, type RelayWay, type Way } from "./ways.ts";

type Value = (sample: Sample) => number | undefined;

interface Kind {
  readonly unit: string;
  readonly lessIsBetter: boolean;
  readonly value: (sample: Sample) => number;
  /** From ms to its unit. */
  readonly factor?: number;
}

const median: Value = ({ measured: { waits } }) => (waits.length === 0 ? undefined : percentile(waits, 0.5));
const perSecond = ({ measured: { amount, seconds } }: Sample): number => amount / seconds;
const cpu: Value = ({ cpuUsPerMessage }) => cpuUsPerMessage;

const time = (unit: string, factor: number): Kind => ({
  unit,
  lessIsBetter: true,
  value: (sample) => (median(sample) ?? Number.NaN) * factor,
  factor,
});
const rate = (unit: string): Kind => ({ unit, lessIsBetter: false, value: perSecond });

const KINDS: Readonly<Record<Figure, Kind>> = {
  p50: time("µs", 1000),
  p50ms: time("ms", 1),
  loads: rate("loads/s"),
  commits: rate("commits/s"),
  MiB: rate("MiB/s"),
};

/** Medians over the quiet turns; ratios are taken inside a turn. */
export function evaluate(
  workload: Workload,
  turns: readonly Turn<Sample>[],
  peakMiB?: Partial<Record<RelayWay, number>>,
): Result {
  const kind = KINDS[workload.figure];
  const quiet = quietest(turns, ({ direct }) => {
    if (direct === undefined) return 0;
    return kind.lessIsBetter ? kind.value(direct) : 1 / kind.value(direct);
  });
  const { factor } = kind;
  const ratios = ratiosOf(quiet, kind.value);
  const ofPipe = ratios["proxy:pipe"];
  const ofHaproxy = ratios["proxy:haproxy"];
  const goals = judge(workload.goals, {
    lessIsBetter: kind.lessIsBetter,
    figure: ofPipe?.figure?.median,
    cpu: ofPipe?.cpu?.median,
    peakMiB: peakMiB?.proxy,
    haproxyP50: ofHaproxy?.p50?.median,
    haproxyCpu: ofHaproxy?.cpu?.median,
  });
  return {
    name: workload.name,
    title: workload.title,
    unit: kind.unit,
    lessIsBetter: kind.lessIsBetter,
    turns: turns.length,
    quiet: quiet.length,
    figure: forEachWay((way) => spreadOf(quiet.map((turn) => valueOf(turn, way, kind.value)))),
    ...(factor === undefined ? {} : { p99: forEachWay((way) => p99(quiet, way, factor)) }),
    cpuUnit: "µs/message",
    cpu: forEachWay((way) => spreadOf(quiet.map((turn) => valueOf(turn, way, cpu)))),
    ...(peakMiB === undefined ? {} : { peakMiB }),
    ratios,
    goals,
  };
}

function ratiosOf(turns: readonly Turn<Sample>[], figure: Value): Partial<Record<Pair, Ratio>> {
  const between = (a: Way, b: Way, value: Value): Spread | undefined =>
    spreadOf(
      turns.map((turn) => {
        const [above, below] = [valueOf(turn, a, value), valueOf(turn, b, value)];
        return above === undefined || below === undefined ? undefined : above / below;
      }),
    );
  const ratio = (a: Way, b: Way): Ratio =>
    defined({ figure: between(a, b, figure), p50: between(a, b, median), cpu: between(a, b, cpu) });
  return {
    "proxy:pipe": ratio("proxy", "pipe"),
    "proxy:haproxy": ratio("proxy", "haproxy"),
    "pipe:haproxy": ratio("pipe", "haproxy"),
    ...(turns[0]?.bare === undefined
      ? {}
      : { "bare:pipe": ratio("bare", "pipe"), "proxy:bare": ratio("proxy", "bare") }),
    ...(turns[0]?.watched === undefined
      ? {}
      : {
          "watched:proxy": ratio("watched", "proxy"),
          "watched:pipe": ratio("watched", "pipe"),
          "watched:direct": ratio("watched", "direct"),
        }),
    ...Object.fromEntries(
      SIDES.filter((side) => turns[0]?.[side] !== undefined).map((side) => [`${side}:proxy`, ratio(side, "proxy")]),
    ),
  };
}

function valueOf(turn: Turn<Sample>, way: Way, value: Value): number | undefined {
  const sample = turn[way];
  return sample === undefined ? undefined : value(sample);
}

function p99(turns: readonly Turn<Sample>[], way: Way, factor: number): number | undefined {
  const waits = turns.flatMap((turn) => turn[way]?.measured.waits ?? []);
  return waits.length === 0 ? undefined : percentile(waits, 0.99) * factor;
}

function spreadOf(values: readonly (number | undefined)[]): Spread | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : spread(known);
}

function forEachWay<T>(of: (way: Way) => T | undefined): Partial<Record<Way, T>> {
  return defined(Object.fromEntries([...WAYS, BARE, WATCHED, ...SIDES].map((way) => [way, of(way)])));
}

/** Without what was not measured. */
function defined<T extends object>(all: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(all).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
