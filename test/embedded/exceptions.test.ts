import { describe, expect, it } from "vitest";
import { exceptionReply } from "../../src/embedded/exceptions.ts";
import type { Fault } from "../../src/embedded/faults.ts";
import type { Style } from "../../src/embedded/style.ts";
import type { Dialect } from "../../src/wire/codec.ts";
import { codecFor } from "../../src/wire/codecs.ts";
import { PyTuple } from "../../src/wire/value.ts";
import type { Value } from "../../src/wire/value.ts";

function style(dialect: Dialect, family: "old" | "new"): Style {
  const encoding = dialect.startsWith("msgpack") ? "msgpack" : "pickle";
  return {
    codec: codecFor(encoding),
    dialect,
    family,
    protocol: encoding === "msgpack" ? "M5" : family === "old" ? "Z4" : "Z5",
  };
}

const OID = Buffer.from("00000000000000ee", "hex");
const BEFORE = Buffer.from("7fffffffffffffff", "hex");

describe("a POSKeyError is written byte for byte as the real server wrote it", () => {
  const tuple = new PyTuple([OID, BEFORE]);
  it.each<[string, Dialect, "old" | "new", Value, string]>([
    [
      "ZEO 4.3.1 on Python 3.6",
      "pickle3-zeo4",
      "old",
      41,
      "8003284b294b0058060000002e7265706c79635a4f44422e504f53457863657074696f6e0a504f534b65794572726f720a635a4f44422e504f53457863657074696f6e0a5f7265636f6e0a635a4f44422e504f53457863657074696f6e0a504f534b65794572726f720a7d580400000061726773430800000000000000ee8573865286742e",
    ],
    [
      "ZEO 4.3.1 on Python 2.7",
      "pickle1",
      "old",
      41,
      "284b294b0055062e7265706c7928635a4f44422e504f53457863657074696f6e0a504f534b65794572726f720a635a4f44422e504f53457863657074696f6e0a5f7265636f6e0a28635a4f44422e504f53457863657074696f6e0a504f534b65794572726f720a7d55046172677328550800000000000000ee7473745274742e",
    ],
    [
      "ZEO 5.2.1 on Python 3.7",
      "pickle3",
      "new",
      tuple,
      "800328430800000000000000ee43087fffffffffffffff864b0258060000002e7265706c79581d0000005a4f44422e504f53457863657074696f6e2e504f534b65794572726f72430800000000000000ee8586742e",
    ],
    [
      "ZEO 5.2.1 on Python 2.7",
      "pickle3-py2",
      "new",
      tuple,
      "800328550800000000000000ee55087fffffffffffffff864b0255062e7265706c79551d5a4f44422e504f53457863657074696f6e2e504f534b65794572726f72550800000000000000ee8586742e",
    ],
    [
      "ZEO 6.2 with msgpack",
      "msgpack",
      "new",
      tuple,
      "9492c40800000000000000eec4087fffffffffffffff02a62e7265706c7992bd5a4f44422e504f53457863657074696f6e2e504f534b65794572726f7291c40800000000000000ee",
    ],
    [
      "ZEO 5.2.1 on Python 2.7 with msgpack",
      "msgpack-py2",
      "new",
      tuple,
      "9492c40800000000000000eec4087fffffffffffffff02c4062e7265706c7992c41d5a4f44422e504f53457863657074696f6e2e504f534b65794572726f7291c40800000000000000ee",
    ],
  ])("%s", (_server, dialect, family, id, hex) => {
    const to = style(dialect, family);
    const value = exceptionReply(to, { kind: "no-object", oid: OID });
    expect(to.codec.encode(dialect, id, family === "new" ? 2 : 0, ".reply", value).toString("hex")).toBe(hex);
  });
});

describe("every fault", () => {
  const faults: readonly Fault[] = [
    { kind: "conflict", oid: OID, current: BEFORE, old: OID },
    { kind: "read-conflict", oid: OID, current: BEFORE, old: null },
    { kind: "no-object", oid: OID },
    { kind: "no-blob", oid: OID, serial: BEFORE },
    { kind: "read-only" },
    { kind: "wrong-transaction", current: null, given: 5 },
    { kind: "transaction-state", reason: "why" },
    { kind: "undo", reason: "why" },
    { kind: "unsupported", reason: "why" },
    { kind: "value", reason: "why" },
    { kind: "type", reason: "why" },
    { kind: "key", reason: "why" },
    { kind: "attribute", reason: "why" },
  ];
  const dialects: readonly (readonly [Dialect, "old" | "new"])[] = [
    ["pickle1", "old"],
    ["pickle3-zeo4", "old"],
    ["pickle1-zeo5", "new"],
    ["pickle3-py2", "new"],
    ["pickle3", "new"],
    ["msgpack", "new"],
    ["msgpack-py2", "new"],
  ];

  it.each(dialects)("can be written in %s", (dialect, family) => {
    const to = style(dialect, family);
    for (const fault of faults) {
      const payload = to.codec.encode(dialect, 1, 0, ".reply", exceptionReply(to, fault));
      expect(to.codec.peek(payload)).toMatchObject({ id: 1, method: ".reply" });
    }
  });
});
