import { describe, expect, it } from "vitest";
import { mappingRecord, rootRecord } from "../../src/demo/records.ts";

describe("a data record", () => {
  it("is the class and the state, two pickles in a row", () => {
    const bytes = mappingRecord({ text: "hello" }).toString("latin1");
    expect(bytes).toBe("cpersistent.mapping\nPersistentMapping\n.}U\x04data}(U\x04textU\x05hellous.");
  });

  it("names another object by its oid and class", () => {
    const bytes = rootRecord("greeting", "0000000000000001").toString("latin1");
    expect(bytes).toContain("(U\x08\0\0\0\0\0\0\0\x01cpersistent.mapping\nPersistentMapping\ntQ");
  });
});
