import { expect, it } from "vitest";
import { reused } from "../../src/admin/reused.ts";

it("what is asked for again and again is made ten times a second at most, and is never old", async () => {
  let made = 0;
  const get = reused(() => `${++made}`);
  const from = performance.now();
  let last = "";
  let asked = 0;
  while (made < 4) {
    last = get();
    asked++;
    // oxlint-disable-next-line no-await-in-loop -- others are to have their turn
    await new Promise((resolve) => setImmediate(resolve));
  }
  // A timer may come a millisecond early, each time.
  expect(performance.now() - from).toBeGreaterThanOrEqual(297);
  expect(last).toBe("4");
  expect(asked).toBeGreaterThan(4);
});

it("nothing is kept of what nobody asks for any more", async () => {
  let made = 0;
  const get = reused(() => `${++made}`);
  get();
  const deadline = performance.now() + 10_000;
  while (get() === "1" && performance.now() < deadline) {
    // oxlint-disable-next-line no-await-in-loop -- nothing announces it
    await new Promise((resolve) => setTimeout(resolve, 120));
  }
  expect(made).toBe(2);
});
