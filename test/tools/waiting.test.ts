import { expect, it } from "vitest";
import { systemClock } from "../../src/net/system-clock.ts";
import { Waiting } from "../../src/tools/waiting.ts";
import { Written } from "./serve.ts";

/** A clock whose timers go off when the test says so. */
function stopped(): { clock: typeof systemClock; pass: () => void } {
  const due = new Set<() => void>();
  const after = (ms: number, act: () => void): (() => void) => {
    expect(ms).toBe(1_000);
    due.add(act);
    return () => due.delete(act);
  };
  const pass = (): void => {
    for (const act of due) act();
    due.clear();
  };
  return { clock: { ...systemClock, after }, pass };
}

it("says what is waited for only when that takes long, and takes the line away when it is over", () => {
  const output = new Written();
  const { clock, pass } = stopped();
  const waiting = new Waiting(output, clock);
  waiting.begin("a", "one");
  waiting.begin("a", "two");
  pass();
  expect(output.progressed).toEqual(["two ..."]);
  waiting.begin("a", "three");
  waiting.end("a");
  pass();
  expect(output.progressed).toEqual(["two ...", ""]);
});

it("shows the newest of several, and takes away no other's line", () => {
  const output = new Written();
  const { clock, pass } = stopped();
  const waiting = new Waiting(output, clock);
  waiting.begin("a", "one");
  waiting.begin("b", "two");
  pass();
  waiting.end("a");
  expect(output.progressed).toEqual(["one ...", "two ..."]);
  waiting.stop();
  expect(output.progressed).toEqual(["one ...", "two ...", ""]);
});
