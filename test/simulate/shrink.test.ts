import { expect, it } from "vitest";
import { relay } from "./relay.ts";
import { run } from "./run.ts";
import { shrink } from "./shrink.ts";
import { Visits } from "./visits.ts";

it("makes a run that fails smaller, and it still fails in the same way", () => {
  const visits = new Visits();
  const attempt = (seed: number, overrides: Parameters<typeof shrink>[0]["overrides"]): string | undefined =>
    run(seed, { visits, make: relay, overrides }).violation?.name;
  const large: Parameters<typeof shrink>[0] = {
    seed: 2,
    overrides: { servers: ["ZEO 5.2.1"], fanOut: "no", clients: 6, decisions: 400, deeds: { mixed: 5, copy: 0 } },
  };
  expect(attempt(large.seed, large.overrides)).toBe("1 incomplete");
  const small = shrink(large, "1 incomplete", attempt, 1000);
  expect(attempt(small.seed, small.overrides)).toBe("1 incomplete");
  expect(small.overrides.decisions).toBeLessThan(10);
  expect(small.overrides.faults).toEqual({});
});
