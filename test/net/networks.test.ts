import { describe, expect, it, test } from "vitest";
import { parseNetwork, type Network } from "../../src/config/network.ts";
import { Networks } from "../../src/net/networks.ts";

function networks(...texts: string[]): Networks {
  return new Networks(texts.map((text) => parseNetwork(text) as Network));
}

describe("a list of networks", () => {
  const list = networks("10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1");

  test.each(["10.0.0.0", "10.255.255.255", "192.0.2.7", "2001:db8::", "2001:db8:ffff::1", "::1"])("has %s", (host) => {
    expect(list.has(host)).toBe(true);
  });

  test.each(["9.255.255.255", "11.0.0.0", "192.0.2.6", "192.0.2.8", "2001:db9::", "2001:db7:ffff::", "::2", "::"])(
    "has not %s",
    (host) => {
      expect(list.has(host)).toBe(false);
    },
  );

  it("has nothing that is no address", () => {
    for (const host of [undefined, "", "unknown", "localhost", "10.0.0", "10.0.0.0/8"]) {
      expect(list.has(host)).toBe(false);
      expect(networks("0.0.0.0/0", "::/0").has(host)).toBe(false);
    }
  });

  it("of one family has nothing of the other", () => {
    expect(networks("::/0").has("10.0.0.1")).toBe(false);
    expect(networks("::/0").has("2001:db8::1")).toBe(true);
    expect(networks("0.0.0.0/0").has("::1")).toBe(false);
    expect(networks("0.0.0.0/0").has("10.0.0.1")).toBe(true);
    expect(networks("::ffff:10.0.0.0/104").has("10.0.0.1")).toBe(true);
  });

  it("is empty, or not", () => {
    expect([networks().isEmpty, networks("::/0").isEmpty]).toEqual([true, false]);
    expect(networks().has("10.0.0.1")).toBe(false);
  });
});
