import { describe, expect, it } from "vitest";
import { ACTORS, readOptions, UsageError } from "./options.ts";

const read = (...args: readonly string[]) => readOptions(args, () => 7);

describe("the soak's options", () => {
  it("are 30 minutes with everyone but cuts, and a seed by chance", () => {
    const all = new Set(ACTORS.filter((name) => name !== "cuts"));
    expect(read()).toMatchObject({ seconds: 1800, seed: 7, actors: all });
  });

  it("take minutes or seconds, a seed, and who takes part", () => {
    expect(read("--minutes", "2", "--seed", "3")).toMatchObject({ seconds: 120, seed: 3 });
    expect(read("--seconds", "60", "--only", "writers,slow")?.actors).toEqual(new Set(["writers", "slow"]));
    expect(read("--without", "slow", "--with", "cuts")?.actors).toEqual(
      new Set(ACTORS.filter((name) => name !== "slow")),
    );
  });

  it("have a witness, unless it is turned off", () => {
    expect([read()?.isWatched, read("--witness", "off")?.isWatched]).toEqual([true, false]);
  });

  it("ask for their usage", () => {
    expect(read("--help")).toBeUndefined();
  });

  it.each([["--without", "nobody"], ["--minutes", "none"], ["--seconds", "5"], ["--witness", "maybe"], ["--what"]])(
    "refuse %s %s",
    (...args) => {
      expect(() => read(...args)).toThrow(UsageError);
    },
  );
});
