import { expect, it, onTestFinished } from "vitest";
import { LoopDelay } from "../../src/metrics/loop-delay.ts";

it("a loop that is kept busy is seen: so much later it came to what was due", async () => {
  const delay = new LoopDelay();
  onTestFinished(() => delay.stop());
  const { bounds, counts } = delay.delaysMs;
  const above = (ms: number) => counts.slice(bounds.indexOf(ms as never) + 1).reduce((sum, count) => sum + count, 0);
  const until = performance.now() + 300;
  while (performance.now() < until);
  while (above(250) === 0) {
    // oxlint-disable-next-line no-await-in-loop -- nothing announces it
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(delay.delaysMs.sum).toBeGreaterThan(250);
});
