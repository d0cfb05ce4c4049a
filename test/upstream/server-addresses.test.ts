import { describe, expect, it } from "vitest";
import { ServerAddresses } from "../../src/upstream/server-addresses.ts";

const [A, B, C] = ["10.0.0.1:8100", "10.0.0.2:8100", "10.0.0.3:8100"] as const;
const BOTH = ["10.0.0.1", "10.0.0.2"];

describe("several addresses", () => {
  it("that answer in turn are told", () => {
    const addresses = new ServerAddresses<string>();
    expect(addresses.heard("one", A)).toBeUndefined();
    expect(addresses.heard("two", B)).toBeUndefined();
    expect(addresses.heard("one", A)).toEqual(BOTH);
  });

  it("are told all", () => {
    const addresses = new ServerAddresses<string>();
    for (const [session, peer] of Object.entries({ one: A, two: B, three: C })) addresses.heard(session, peer);
    expect(addresses.heard("two", B)).toEqual([...BOTH, "10.0.0.3"]);
  });

  it("are told whichever session it is that is heard again", () => {
    const addresses = new ServerAddresses<string>();
    addresses.heard("one", A);
    addresses.heard("two", B);
    expect(addresses.heard("three", A)).toEqual(BOTH);
  });

  it("are told once, and again when somebody has come", () => {
    const addresses = new ServerAddresses<string>();
    const inTurn = (): unknown[] => [addresses.heard("one", A), addresses.heard("two", B)];
    expect([...inTurn(), ...inTurn(), ...inTurn()]).toEqual([
      undefined,
      undefined,
      BOTH,
      undefined,
      undefined,
      undefined,
    ]);
    addresses.heard("three", B);
    expect([...inTurn(), ...inTurn()]).toEqual([BOTH, undefined, undefined, undefined]);
  });
});

describe("no sign of several servers is", () => {
  it("one address, whatever is heard from it", () => {
    const addresses = new ServerAddresses<string>();
    for (const session of ["one", "two", "one", "three"]) expect(addresses.heard(session, A)).toBeUndefined();
    expect(addresses.all).toEqual(["10.0.0.1"]);
  });

  it("an address of the other family: it may be the same machine", () => {
    const addresses = new ServerAddresses<string>();
    for (const [session, peer] of [
      ["one", "127.0.0.1:8100"],
      ["two", "::1:8100"],
      ["one", "127.0.0.1:8100"],
      ["two", "::1:8100"],
    ] as const) {
      expect(addresses.heard(session, peer)).toBeUndefined();
    }
    expect(addresses.heard("three", "127.0.0.2:8100")).toBeUndefined();
    expect(addresses.heard("two", "::1:8100")).toBeUndefined();
    expect(addresses.heard("one", "127.0.0.1:8100")).toEqual(["127.0.0.1", "127.0.0.2"]);
  });

  it("an address that comes when all sessions at the other one have gone", () => {
    const addresses = new ServerAddresses<string>();
    addresses.heard("one", A);
    addresses.heard("two", A);
    addresses.left("one");
    addresses.left("two");
    for (let turn = 0; turn < 3; turn++) expect(addresses.heard("three", B)).toBeUndefined();
    expect(addresses.all).toEqual(["10.0.0.2"]);
  });

  it("a fail-over: sessions at the old address live, and hear nothing more", () => {
    const addresses = new ServerAddresses<string>();
    addresses.heard("one", A);
    addresses.heard("two", A);
    for (const session of ["three", "four", "three"]) expect(addresses.heard(session, B)).toBeUndefined();
    addresses.left("one");
    addresses.left("two");
    expect(addresses.heard("three", B)).toBeUndefined();
  });

  it("a fail-over and back, with sessions left at each for a while", () => {
    const addresses = new ServerAddresses<string>();
    addresses.heard("one", A);
    addresses.heard("two", B);
    addresses.left("one");
    for (let turn = 0; turn < 2; turn++) expect(addresses.heard("three", A)).toBeUndefined();
    addresses.left("two");
    expect(addresses.heard("three", A)).toBeUndefined();
    // The second one has been heard since it was left, and is a sign.
    addresses.heard("four", B);
    expect(addresses.heard("three", A)).toEqual(BOTH);
  });
});

it("a Unix socket's path is its address, whole", () => {
  const addresses = new ServerAddresses<string>();
  for (const path of ["/run/a.sock", "/run/b:1"]) addresses.heard(path, path);
  expect(addresses.all).toEqual(["/run/a.sock", "/run/b:1"]);
  expect(addresses.heard("three", A)).toBeUndefined();
});
