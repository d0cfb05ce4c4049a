import { describe, expect, it } from "vitest";
import { nameAt } from "../../src/wire/names.ts";

describe("nameAt", () => {
  it("gives the text of the bytes, whatever was read before", () => {
    const names = Array.from({ length: 5000 }, (_, i) => `method_${i}`);
    for (const name of [...names, ...names, "", ".reply", "x".repeat(100), "\xff\x00é".slice(0, 2)]) {
      const bytes = Buffer.from(`<<${name}>>`, "latin1");
      expect(nameAt(bytes, 2, bytes.length - 2)).toBe(name);
    }
  });

  it("tells names of equal length and hash apart", () => {
    // 31 * "Aa" and 31 * "BB" are equal.
    for (const name of ["AaAa", "BBBB", "AaBB", "BBAa", "AaAa"]) expect(nameAt(Buffer.from(name), 0, 4)).toBe(name);
  });
});
