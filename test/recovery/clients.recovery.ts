import { setTimeout } from "node:timers/promises";
import { expect, it } from "vitest";
import { percentile, spread } from "../bench/statistics.ts";
import { install } from "../peers/install.ts";
import { peerNamed } from "../peers/peers.ts";
import { Lane, type Recoveries } from "./lane.ts";

const ROUNDS = Number(process.env["RECOVERY_ROUNDS"] ?? 20);
const LANES = Math.min(4, ROUNDS);
/** Servers that start at the same time are slow to. */
const STAGGER_MS = 2_500;
/** One figure, or the ends of a range from which each round takes one. */
const [SHORTEST_MS = 5_000, LONGEST_MS = SHORTEST_MS] = (process.env["RECOVERY_DOWN_MS"] ?? "5000")
  .split("-")
  .map(Number);

/** The rounds of one lane, one after the other; the lanes share what is left to do. */
async function play(lane: Lane, afterMs: number, todo: number[], done: Recoveries[]): Promise<void> {
  await setTimeout(afterMs);
  for (let downMs = todo.pop(); downMs !== undefined; downMs = todo.pop()) done.push(await lane.outage(downMs));
}

function line(name: string, seconds: readonly number[]): string {
  const { median, min, max } = spread(seconds);
  const figures = [min, percentile(seconds, 0.25), median, percentile(seconds, 0.75), percentile(seconds, 0.95), max];
  return `${name.padEnd(22)}${figures.map((figure) => figure.toFixed(2).padStart(8)).join("")}`;
}

/** How many were back within each second. */
function histogram(name: string, seconds: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const each of seconds) counts.set(Math.floor(each), (counts.get(Math.floor(each)) ?? 0) + 1);
  const cells = [...counts].sort(([a], [b]) => a - b).map(([second, count]) => `${second} s: ${count}`);
  return `${name.padEnd(22)}  ${cells.join(", ")}`;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

it.each(["zeo4-py36", "zeo521-py37"])(
  "clients of %s are back as soon as without the proxy",
  async (name) => {
    const result = await install(peerNamed(name));
    if (result.type === "missing") throw new Error(result.why);
    const lanes = await Promise.all(Array.from({ length: LANES }, () => Lane.open(result.installed)));
    const rounds: Recoveries[] = [];
    try {
      const todo = Array.from({ length: ROUNDS }, () => SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS));
      await Promise.all(lanes.map((lane, n) => play(lane, n * STAGGER_MS, todo, rounds)));
    } finally {
      await Promise.all(lanes.map((lane) => lane.close()));
    }
    const direct = rounds.flatMap((round) => round.direct);
    const proxied = rounds.flatMap((round) => round.proxied);
    // Who is back when of the same outage.
    const later = rounds.map((round) => mean(round.proxied) - mean(round.direct));
    console.log(
      [
        `${name}, ${rounds.length} outages of ${SHORTEST_MS} to ${LONGEST_MS} ms, seconds until`,
        `${"".padEnd(22)}${["min", "25 %", "median", "75 %", "95 %", "max"].map((head) => head.padStart(8)).join("")}`,
        line(
          "the server is back",
          rounds.map((round) => round.server),
        ),
        line("a client, direct", direct),
        line("a client, proxied", proxied),
        line("proxied behind direct", later),
        histogram("direct", direct),
        histogram("proxied", proxied),
      ].join("\n"),
    );
    // A client that just missed the server's return has a long pause before it; that is chance, and can be either's.
    expect(spread(later).median).toBeLessThan(0.5);
    expect(percentile(later, 0.75)).toBeLessThan(1);
  },
  600_000,
);
