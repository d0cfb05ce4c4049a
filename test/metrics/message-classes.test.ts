import { describe, expect, it } from "vitest";
import { byClientClass, byServerClass, classOf } from "../../src/metrics/message-classes.ts";
import { FROM_SERVER, MessageCounts } from "../../src/session/message-counts.ts";
import { METHODS, methodNamed } from "../../src/wire/methods.ts";

describe("a method's class", () => {
  it.each([
    ["load", "load"],
    ["loadBefore", "load"],
    ["sendBlob", "load"],
    ["storea", "store"],
    ["storeBlobChunk", "store"],
    ["undoa", "store"],
    ["tpc_begin", "commit"],
    ["vote", "commit"],
    ["tpc_finish", "commit"],
    ["checkCurrentSerialInTransaction", "commit"],
    ["register", "verify"],
    ["getInvalidations", "verify"],
    ["zeoVerify", "verify"],
    ["new_oids", "other"],
    ["history", "other"],
    ["constructor", "other"],
    ["nobody knows it", "other"],
  ] as const)("of %s is %s", (name, expected) => {
    expect(classOf(methodNamed(name))).toBe(expected);
  });

  it("is one of few for all methods", () => {
    expect([...new Set(METHODS.map(classOf))].sort()).toEqual(["commit", "load", "other", "store", "verify"]);
  });
});

it("messages are added up by class", () => {
  const messages = new MessageCounts();
  messages.fromClients[methodNamed("load").index] = 3;
  messages.fromClients[methodNamed("loadBefore").index] = 4;
  messages.fromClients[0] = 5;
  messages.fromClients[methodNamed("vote").index] = 6;
  messages.fromServer[FROM_SERVER.invalidation] = 7;
  expect(byClientClass(messages)).toEqual({ load: 7, store: 0, commit: 6, verify: 0, other: 5 });
  expect(byServerClass(messages)).toEqual({ reply: 0, invalidation: 7, other: 0 });
});
