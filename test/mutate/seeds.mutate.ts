import { expect, it } from "vitest";
import { proxy } from "../simulate/proxy.ts";
import { run } from "../simulate/run.ts";
import { Visits } from "../simulate/visits.ts";

/** Few: each mutant that nobody else finds runs them all. */
const SEEDS = 60;
const SEEDS_EACH = 10;

it.each(Array.from({ length: SEEDS / SEEDS_EACH }, (_, i) => 1 + i * SEEDS_EACH))(
  "the simulator finds nothing with seeds from %i on",
  (from) => {
    const visits = new Visits();
    for (let seed = from; seed < from + SEEDS_EACH; seed++) {
      const { violation } = run(seed, { visits, make: proxy, overrides: {} });
      expect(violation?.message, `seed ${seed}`).toBeUndefined();
    }
  },
);
