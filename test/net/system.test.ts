import { expect, it } from "vitest";
import { systemClock } from "../../src/net/system-clock.ts";
import { codeOf } from "../../src/net/system-error.ts";

it("the system's clock calls what is due once, in order, and nothing that was cancelled", async () => {
  const called: string[] = [];
  const before = systemClock.now();
  await new Promise<void>((resolve) => {
    systemClock.after(20, resolve);
    systemClock.after(10, () => called.push("later"));
    systemClock.after(1, () => called.push("sooner"));
    const cancel = systemClock.after(1, () => called.push("cancelled"));
    cancel();
    cancel();
  });
  expect(called).toEqual(["sooner", "later"]);
  expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1_000);
});

it("a system error has a code; anything else has none", () => {
  expect(codeOf(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }))).toBe("ECONNREFUSED");
  expect(codeOf(new Error("no code"))).toBe("unknown");
  expect(codeOf(Object.assign(new Error("a number"), { code: 5 }))).toBe("unknown");
  expect(codeOf("ECONNREFUSED")).toBe("unknown");
});
