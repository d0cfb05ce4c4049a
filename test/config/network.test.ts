import fc from "fast-check";
import { isIP } from "node:net";
import { describe, expect, it, test } from "vitest";
import { parseNetwork, plainAddress } from "../../src/config/network.ts";

describe("an address in one spelling", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1"],
    ["::1", "::1"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:10.0.0.1", "10.0.0.1"],
    ["::FFFF:a00:1", "10.0.0.1"],
    ["0:0:0:0:0:ffff:10.0.0.1", "10.0.0.1"],
    ["::10.0.0.1", "::10.0.0.1"],
    ["64:ff9b::10.0.0.1", "64:ff9b::a00:1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::ffff:10.0.0.1%2", "10.0.0.1"],
  ])("%s is %s", (text, plain) => {
    expect(plainAddress(text)).toBe(plain);
    expect(plainAddress(plain)).toBe(plain);
  });

  test.each([
    "",
    "localhost",
    "10.0.0",
    "010.0.0.1",
    "10.0.0.256",
    "1::2::3",
    "[::1]",
    "unknown",
    "%eth0",
    "10.0.0.1 ",
  ])("%j is none", (text) => {
    expect(plainAddress(text)).toBeUndefined();
  });
});

describe("a network", () => {
  test.each([
    ["10.0.0.0/8", "ipv4", "10.0.0.0", 8],
    ["0.0.0.0/0", "ipv4", "0.0.0.0", 0],
    ["192.0.2.7", "ipv4", "192.0.2.7", 32],
    ["192.0.2.128/25", "ipv4", "192.0.2.128", 25],
    ["::/0", "ipv6", "::", 0],
    ["::1", "ipv6", "::1", 128],
    ["2001:DB8::/32", "ipv6", "2001:db8::", 32],
    ["2001:db8:8000::/33", "ipv6", "2001:db8:8000::", 33],
    ["fe80::/10", "ipv6", "fe80::", 10],
    ["::ffff:10.1.2.3", "ipv4", "10.1.2.3", 32],
    ["::ffff:10.0.0.0/104", "ipv4", "10.0.0.0", 8],
    ["::ffff:0:0/96", "ipv4", "0.0.0.0", 0],
    ["::192.0.2.0/120", "ipv6", "::192.0.2.0", 120],
  ])("%s", (text, family, address, prefix) => {
    expect(parseNetwork(text)).toEqual({ family, address, prefix });
  });

  test.each([
    ["bits behind the prefix", "10.0.0.1/8"],
    ["bits behind the prefix", "192.0.2.128/24"],
    ["bits behind the prefix", "2001:db8::1/64"],
    ["bits behind the prefix", "2001:db8:8000::/32"],
    ["bits behind the prefix", "::192.0.2.1/120"],
    ["mapped, with a part of what all of them begin with", "::ffff:0:0/95"],
    ["a prefix that is too long", "10.0.0.0/33"],
    ["a prefix that is too long", "::/129"],
    ["a prefix that is no number", "10.0.0.0/"],
    ["a prefix that is no number", "10.0.0.0/08"],
    ["a prefix that is no number", "10.0.0.0/-1"],
    ["a mask", "10.0.0.0/255.0.0.0"],
    ["two prefixes", "10.0.0.0/8/8"],
    ["a zone", "fe80::1%eth0"],
    ["a name", "localhost"],
    ["octal, perhaps", "010.0.0.0/8"],
    ["a port", "10.0.0.1:80"],
    ["nothing", ""],
    ["nothing", "/8"],
  ])("is none with %s: %s", (_, text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });

  it("has the bits of its address before the prefix alone, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat({ max: 128 }), (bytes, prefix) => {
        const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
        const cut = bits.slice(0, prefix).padEnd(128, "0");
        const text = (all: string): string =>
          (all.match(/.{16}/g) ?? []).map((group) => Number.parseInt(group, 2).toString(16)).join(":");
        const network = parseNetwork(`${text(cut)}/${prefix}`);
        if (plainAddress(text(cut))?.includes(".") === true && !text(cut).startsWith("0:0:0:0:0:0:")) return;
        expect(network).toMatchObject({ family: "ipv6", prefix });
        expect(isIP(network?.address ?? "")).toBe(6);
        expect(parseNetwork(`${text(bits)}/${prefix}`) === undefined).toBe(bits !== cut);
      }),
    );
  });

  it("is never made of anything but an address and a prefix", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const network = parseNetwork(text);
        if (network === undefined) return;
        expect(isIP(text.split("/")[0] ?? "")).not.toBe(0);
      }),
    );
  });
});
