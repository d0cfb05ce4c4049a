import { describe, expect, it } from "vitest";
import { isThisMachine } from "../../src/config/admin.ts";
import { parseConfig, parseConfigText } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";

const UPSTREAM = { listen: "127.0.0.1:9100", server: "127.0.0.1:8100" };
const TLS = { certificate: "cert.pem", key: "key.pem" };

function problems(admin: unknown): string[] {
  try {
    parseConfig({ upstreams: [UPSTREAM], admin });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

describe("admin", () => {
  it("is nothing unless it is configured", () => {
    expect(parseConfig({ upstreams: [UPSTREAM] }).admin).toBeUndefined();
  });

  it("listens on loopback, or on the path of a socket", () => {
    const read = (listen: string) => parseConfig({ upstreams: [UPSTREAM], admin: { listen } }).admin;
    expect(read("127.0.0.1:9180")).toEqual({ listen: { host: "127.0.0.1", port: 9180 }, hosts: [] });
    expect(read("[::1]:0")?.listen).toEqual({ host: "::1", port: 0 });
    expect(read("/run/zeo-proxy/admin.sock")?.listen).toEqual({ path: "/run/zeo-proxy/admin.sock" });
  });

  it.each(["0.0.0.0:9180", "[::]:9180", "10.1.2.3:9180", "zeo.example.com:9180"])(
    "refuses %s without token and tls, and takes it with both",
    (listen) => {
      const expected = "expected an address of this machine alone such as 127.0.0.1:9180, or both token-file and tls";
      const refusal = [`admin.listen: ${expected}, got "${listen}"`];
      expect(problems({ listen })).toEqual(refusal);
      expect(problems({ listen, "token-file": "token" })).toEqual(refusal);
      expect(problems({ listen, tls: TLS })).toEqual(refusal);
      expect(problems({ listen, "token-file": "token", tls: TLS })).toEqual([]);
    },
  );

  it("says what it expects", () => {
    expect(problems({})).toEqual([expect.stringContaining("admin.listen: expected HOST:PORT such as 127.0.0.1:9180")]);
    for (const listen of ["9180", "run/x.sock", "/run/", `/${"x".repeat(107)}`, "/a\u0000b"]) {
      expect(problems({ listen })).toEqual([expect.stringContaining("admin.listen: expected HOST:PORT")]);
    }
    const listen = "127.0.0.1:9180";
    expect(problems({ listen, hosts: ["zeo.example.com:80"] })).toEqual([
      expect.stringContaining("admin.hosts[0]: expected a host's name or address without a port"),
    ]);
    expect(problems({ listen, tls: { certificate: "x" } })).toEqual([
      "admin.tls.key: expected the name of a file, got nothing",
    ]);
    expect(problems({ listen, port: 1 })).toEqual([
      "admin.port: unknown key, expected a map with the keys listen, token-file, tls, hosts",
    ]);
  });

  it("says where it stands in a file", () => {
    const text = `upstreams: [{ listen: "127.0.0.1:1", server: "127.0.0.1:2" }]\nadmin:\n  listen: 0.0.0.0:9180\n`;
    expect(() => parseConfigText(text, "x.yaml")).toThrow(/^x\.yaml:3:11: admin\.listen: expected an address of this/);
  });

  it("takes hosts in one spelling", () => {
    const admin = { listen: "127.0.0.1:9180", hosts: ["ZEO.Example.com.", "0:0::1", "10.1.2.3"] };
    expect(parseConfig({ upstreams: [UPSTREAM], admin }).admin?.hosts).toEqual(["zeo.example.com", "::1", "10.1.2.3"]);
  });

  it("is this machine's alone on loopback and on a socket of the file system", () => {
    for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"]) {
      expect(isThisMachine({ host, port: 1 })).toBe(true);
    }
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.example.com"]) {
      expect(isThisMachine({ host, port: 1 })).toBe(false);
    }
    expect(isThisMachine({ path: "/x.sock" })).toBe(true);
  });
});
