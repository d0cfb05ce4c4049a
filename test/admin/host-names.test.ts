import { describe, expect, it } from "vitest";
import { HostNames } from "../../src/admin/host-names.ts";

describe("the names by which the admin server is asked", () => {
  const names = new HostNames({ host: "ZEO.example.com", port: 9180 }, ["monitor", "10.1.2.3"]);

  it.each([
    undefined,
    "localhost",
    "localhost:1",
    "zeo.example.com",
    "ZEO.EXAMPLE.COM.:9180",
    "monitor:80",
    "10.1.2.3",
  ])("%s is one", (header) => {
    expect(names.allows(header, undefined)).toBe(true);
  });

  it.each([
    "",
    ":80",
    "evil.example",
    "zeo.example.com.evil.example",
    "localhost:x",
    "a b",
    "127.0.0.1",
    "[::1]",
    "::1",
  ])("%j is none", (header) => {
    expect(names.allows(header, undefined)).toBe(false);
  });

  it("an address that was connected to is one, as no page of somebody else's can be called that", () => {
    expect(names.allows("192.0.2.7:9180", "192.0.2.7")).toBe(true);
    expect(names.allows("192.0.2.7", "::ffff:192.0.2.7")).toBe(true);
    expect(names.allows("[2001:DB8::7]:9180", "2001:db8:0::7")).toBe(true);
    expect(names.allows("192.0.2.8", "192.0.2.7")).toBe(false);
  });
});
