import fc from "fast-check";
import { config, type Config, type Kind, type Variant } from "../explore/config.ts";

const VARIANTS: readonly Variant[] = ["old", "old-backport", "new", "new-patched"];

/** Transactions, clients and mishaps of a world that is too large to be looked at in whole. */
export const worlds: fc.Arbitrary<Config> = fc
  .record({
    server: fc.constantFrom(...VARIANTS),
    clients: fc.integer({ min: 2, max: 4 }),
    cold: fc.integer({ min: 0, max: 1 }),
    fresh: fc.boolean(),
    oldClients: fc.boolean(),
    commits: fc.integer({ min: 1, max: 7 }),
    kinds: fc.uniqueArray(fc.constantFrom<Kind>("C", "M", "B", "D", "E", "U"), { minLength: 1, maxLength: 6 }),
    polls: fc.integer({ min: 0, max: 4 }),
    reads: fc.integer({ min: 1, max: 3 }),
    loads: fc.boolean(),
    vague: fc.boolean(),
    passing: fc.boolean(),
    connects: fc.integer({ min: 1, max: 3 }),
    disconnects: fc.integer({ min: 0, max: 3 }),
    aborts: fc.integer({ min: 0, max: 1 }),
    fails: fc.boolean(),
    emptyTid: fc.boolean(),
    foreign: fc.boolean(),
    fanOut: fc.constantFrom("no", "no", "early", "late"),
    skips: fc.integer({ min: 0, max: 2 }),
    cuts: fc.integer({ min: 0, max: 1 }),
    hangups: fc.integer({ min: 0, max: 1 }),
    refusals: fc.integer({ min: 0, max: 1 }),
    resolves: fc.boolean(),
    serialnos: fc.boolean(),
    outboxLimit: fc.integer({ min: 0, max: 2 }),
    short: fc.boolean(),
  })
  .map(({ kinds, short, resolves, ...rest }) => {
    const onNew = rest.server === "new" || rest.server === "new-patched";
    const broken = rest.cuts > 0 || rest.hangups > 0;
    // What a broken connection's undo has undone is known to nobody: docs/ordering.md leaves that to the witness.
    const letters = broken ? kinds.filter((kind) => kind !== "U") : kinds;
    return config({
      ...rest,
      kinds: letters.length === 0 ? "C" : letters.join(""),
      resolves: resolves && onNew,
      ticks: true,
      historyBytes: short ? 0 : Number.POSITIVE_INFINITY,
      // Where nobody but the outside is there at first, nothing is known from before.
      nones: short || (rest.foreign && rest.cold >= rest.clients - 1),
      slots: 12,
      ends: [broken ? "unknown-commit" : "incomplete-undo"],
      // The history has forgotten what it was: see `FORGOTTEN` of the explorer's worlds.
      lates: short && onNew,
    });
  });

/** Which of the possible events happens, step by step. */
export const choices: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 5039 }), {
  minLength: 10,
  maxLength: 160,
  size: "max",
});
