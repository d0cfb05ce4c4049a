import { afterEach, describe, expect, it, vi } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import { reportTo } from "../../src/report/reporter.ts";

const HAPPENING: Happening = { what: "asked" };

/** What is to be done later is kept here: else whoever runs the tests would be thrown at. */
function postponed(): (() => void)[] {
  const kept: (() => void)[] = [];
  vi.spyOn(process, "nextTick").mockImplementation(
    (work) => void kept.push(() => void Reflect.apply(work, undefined, [])),
  );
  return kept;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("a report", () => {
  it("goes to each of its readers, in order, before it returns", () => {
    const told: unknown[][] = [];
    const report = reportTo(
      (happening) => told.push(["first", happening]),
      (happening) => told.push(["second", happening]),
    );
    report(HAPPENING);
    expect(told).toEqual([
      ["first", HAPPENING],
      ["second", HAPPENING],
    ]);
  });

  it("comes to the others when one of them throws, and to its caller as if nothing had been; it is thrown later", () => {
    const later = postponed();
    const told: string[] = [];
    const errors = [new Error("of the first"), new Error("of the third")];
    const report = reportTo(
      () => {
        throw errors[0];
      },
      () => told.push("second"),
      () => {
        throw errors[1];
      },
      () => told.push("fourth"),
    );
    expect(() => report(HAPPENING)).not.toThrow();
    expect(told).toEqual(["second", "fourth"]);
    expect(later).toHaveLength(2);
    for (const [n, error] of errors.entries()) expect(later[n]).toThrow(error);
    report(HAPPENING);
    expect(told).toEqual(["second", "fourth", "second", "fourth"]);
  });

  it("to nobody is no mistake", () => {
    expect(() => reportTo()(HAPPENING)).not.toThrow();
  });
});
