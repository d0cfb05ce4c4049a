import { describe, expect, it } from "vitest";
import { accountId, idIn } from "../../src/config/accounts.ts";

describe("an account", () => {
  it("has the number that the machine's file has for its name", () => {
    const text = "root:x:0:0:root:/root:/bin/sh\n# zope:x:1:\nzope:x:1005:1006::/:/bin/false\nbroken:x:\n";
    expect(["root", "zope", "broken", "nobody here"].map((name) => idIn(text, name))).toEqual([
      0,
      1005,
      undefined,
      undefined,
    ]);
  });

  it("may be a number, of any that the system has", () => {
    expect(accountId("owner", 65_534)).toBe(65_534);
    expect(accountId("group", "12")).toBe(12);
    expect(accountId("owner", "4294967295")).toBeUndefined();
    expect(accountId("group", "root")).toBe(0);
  });
});
