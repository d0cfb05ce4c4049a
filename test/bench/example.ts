import type { Sample } from "./rounds.ts";
import type { Turn } from "./turns.ts";

/** For the tests of what is made of samples. */
export function sampleOf(waits: readonly number[], loadsPerSecond: number, cpuUsPerMessage?: number): Sample {
  return { measured: { seconds: 1, amount: loadsPerSecond, messages: 1, waits }, cpuUsPerMessage };
}

/** Four turns. In the last two, which are loud, the proxy is slow. */
export const TURNS: readonly Turn<Sample>[] = [1, 1.1, 5, 6].map((slowness) => ({
  direct: sampleOf([0.01 * slowness], 1000 / slowness),
  haproxy: sampleOf([0.02], 500, 2),
  pipe: sampleOf([0.04, 0.04, 0.05], 250, 8),
  proxy: sampleOf([0.03, 0.03, slowness > 2 ? 9 : 0.06], slowness > 2 ? 10 : 275, slowness > 2 ? 90 : 6),
}));
