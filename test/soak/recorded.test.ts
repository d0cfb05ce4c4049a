import { describe, expect, it } from "vitest";
import { Random } from "../simulate/random.ts";
import { hostileCall } from "./hostile.ts";
import { conversations, mutated } from "./recorded.ts";

describe.each(["old", "new"] as const)("recorded conversations for an %s server", (family) => {
  const all = conversations(family);

  it("name the storage for garbage alone", () => {
    const registers = all.flat().filter((message) => message.includes("register"));
    expect(registers.length).toBeGreaterThan(10);
    for (const message of registers) {
      const behind = message.subarray(message.indexOf("register") + "register".length).toString("latin1");
      expect(/[12]/.exec(behind)?.[0]).toBe("2");
    }
  });

  it("have nothing that packs, undoes or restores", () => {
    expect(all.flat().filter((message) => /pack|undo|restore/.test(message.toString("latin1")))).toEqual([]);
  });

  it("are mutated, but not where they name a storage or a number of ids", () => {
    const random = new Random(1);
    for (const message of all.flat()) {
      const keeps = message.includes("register") || message.includes("new_oids");
      if (keeps) expect(mutated(message, random).equals(message)).toBe(true);
    }
    const begun = all.flat().filter((message) => message.includes("tpc_begin"));
    expect(begun.some((message) => !mutated(message, random).equals(message))).toBe(true);
  });

  it("are the same for the same seed", () => {
    const said = (seed: number): Buffer => {
      const random = new Random(seed);
      const encoding = family === "old" ? "pickle" : "msgpack";
      const messages = all.flat().map((message) => mutated(message, random));
      return Buffer.concat([...messages, hostileCall(random, encoding)]);
    };
    expect(said(3).equals(said(3))).toBe(true);
    expect(said(3).equals(said(4))).toBe(false);
  });
});
