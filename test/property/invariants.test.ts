import fc from "fast-check";
import { describe, it } from "vitest";
import { replay } from "../explore/explore.ts";
import { choices, worlds } from "./arbitrary.ts";
import { walk } from "./walk.ts";

/** Walks for each invariant. */
const RUNS = 400;

/** The invariants of docs/ordering.md by their numbers. */
const INVARIANTS: readonly [string, string][] = [
  ["1", "no client is shown evidence of a tid before its complete invalidation, and at rest everyone knows everything"],
  [
    "2",
    "every tid is announced once, growing, only when it is committed, never to its committer, never before the register reply",
  ],
  ["3", "nothing is lost or reordered, and what the ledger counts fits"],
  ["4", "nothing waits for ever, and no session is ended needlessly"],
  ["5", "nothing is announced inside an old client's tpc_finish"],
  ["6", "no read that was computed before a commit is delivered after its invalidation"],
];

describe("random walks through larger worlds", () => {
  it.each(INVARIANTS)("%s: %s", (number) => {
    fc.assert(
      fc.property(worlds, choices, (world, picks) => {
        const { violation, events } = walk(world, picks);
        // A violation of another invariant fails the property of that one.
        if (violation?.startsWith(number) === true) {
          throw new Error(`${violation}\n${replay(world, events).join("\n")}`);
        }
      }),
      { numRuns: RUNS, verbose: fc.VerbosityLevel.None },
    );
  });
});
