import { describe, expect, it } from "vitest";
import { largeReply } from "../../src/wire/large-reply.ts";
import { methodNamed, METHODS, UNKNOWN } from "../../src/wire/methods.ts";

describe("a large reply", () => {
  it("of a load shows in its last bytes what it shows", () => {
    const names = METHODS.filter((method) => largeReply(method) === "ending").map(({ name }) => name);
    expect(names).toEqual(["load", "loadEx", "loadBefore"]);
  });

  it("of data alone shows nothing, and one that nobody knows may show anything anywhere", () => {
    expect(largeReply(methodNamed("loadSerial"))).toBe("nothing");
    expect(largeReply(methodNamed("sendBlob"))).toBe("nothing");
    expect(largeReply(methodNamed("undoInfo"))).toBe("anywhere");
    // Its tid stands before the data.
    expect(largeReply(methodNamed("iterator_record_next"))).toBe("anywhere");
    expect(largeReply(UNKNOWN)).toBe("anywhere");
  });
});
