import { expect, it } from "vitest";
import { isLocalTrouble, isScarcity, isWorthWaiting } from "../../src/upstream/local-trouble.ts";

const CODES = ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EADDRNOTAVAIL", "EAI_AGAIN"];

it("a dial that fails for want of something on this machine says nothing about the server", () => {
  expect(CODES.filter((code) => !isLocalTrouble(code))).toEqual([]);
  const others = ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ECONNRESET", "ENOTFOUND", "silent", "ended"];
  expect(others.filter(isLocalTrouble)).toEqual([]);
});

it("an address that can't be listened on is worth waiting for where it may still come", () => {
  expect([...CODES, "ENOTFOUND"].filter((code) => !isWorthWaiting(code))).toEqual([]);
  expect(["EADDRINUSE", "EACCES", "EINVAL", "unknown"].filter(isWorthWaiting)).toEqual([]);
  // Of the machine, not of this address.
  expect(CODES.filter(isScarcity)).toEqual(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);
});
