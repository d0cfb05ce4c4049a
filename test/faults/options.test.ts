import { describe, expect, it } from "vitest";
import { CAUSES, readOptions, SERVERS, UsageError } from "./options.ts";
import { planOf, seesAll } from "./plan.ts";

const read = (line: string) =>
  readOptions(
    line.split(" ").filter((word) => word !== ""),
    () => 77,
  );

describe("the command line", () => {
  it("plays a round with each server, and all causes, where it says nothing", () => {
    expect(read("")).toMatchObject({ rounds: SERVERS.length, seed: 77, servers: SERVERS, strict: false, seconds: 5 });
    expect([...(read("")?.causes ?? [])]).toEqual(CAUSES);
    expect(read("")?.witness).toBeUndefined();
  });

  it("leaves causes out", () => {
    expect([...(read("--no-direct --no-kills")?.causes ?? [])]).toEqual(["server-cuts", "client-cuts", "slow"]);
    expect([...(read("--only slow,direct --without direct")?.causes ?? [])]).toEqual(["slow"]);
  });

  it("takes one server, a number of proxies and a state of the witness", () => {
    const options = read("--server zodb3-py27 --proxies 2 --witness on --strict --rounds 3 --seed 5");
    expect(options).toMatchObject({
      servers: ["zodb3-py27"],
      proxies: 2,
      witness: "on",
      strict: true,
      rounds: 3,
      seed: 5,
    });
  });

  it("prints its usage, and refuses what it does not know", () => {
    expect(read("--help")).toBeUndefined();
    for (const line of ["--server zeo9", "--proxies 3", "--rounds no", "--witness maybe", "--only hail", "--what"]) {
      expect(() => read(line), line).toThrow(UsageError);
    }
  });
});

describe("the plan of a round", () => {
  const plan = (line: string, round = 0) => {
    const options = read(line);
    if (options === undefined) throw new Error("usage");
    return planOf(options, round);
  };

  it("is the same for the same seed, whatever comes before it", () => {
    expect(plan("--seed 12 --server zeo62-py312")).toEqual(plan("--seed 10 --server zeo62-py312", 2));
  });

  it("keeps the rest where a cause is left out", () => {
    for (let seed = 1; seed < 20; seed++) {
      const all = plan(`--seed ${seed}`);
      const without = plan(`--seed ${seed} --no-direct`);
      const rest = [...all.causes].filter((cause) => cause !== "direct");
      if (rest.length > 0) expect([...without.causes]).toEqual(rest);
      expect(without.proxies).toBe(all.proxies);
    }
  });

  it("breaks something in every round", () => {
    for (let seed = 1; seed < 50; seed++) expect(plan(`--seed ${seed} --only slow`).causes.size).toBe(1);
  });

  it("knows in which rounds all commits are read, or one proxy sees them settle", () => {
    expect(seesAll(plan("--proxies 2 --only direct"))).toBe(true);
    expect(seesAll(plan("--witness off --proxies 1 --only slow"))).toBe(true);
    expect(seesAll(plan("--witness off --proxies 2 --only slow"))).toBe(false);
    expect(seesAll(plan("--witness off --proxies 1 --only direct"))).toBe(false);
  });
});
