import { chmodSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it, test } from "vitest";
import { parseConfig, parseConfigText } from "../../src/config/load.ts";
import type { ConfigError } from "../../src/config/problem.ts";
import { isProblem, readTlsFiles } from "../../src/config/tls-files.ts";
import { copies, fixture } from "../net/certificates.ts";

const files = copies();
afterAll(() => files.remove());
const certificate = files.of("proxy.pem");
const key = files.of("proxy.key");
const ca = files.of("ca.pem");

describe("TLS files", () => {
  it("that fit are read", () => {
    const read = readTlsFiles({ certificate, key, ca, minimum: "1.3" });
    expect(isProblem(read)).toBe(false);
    expect(read).toMatchObject({ minVersion: "TLSv1.3", cert: expect.stringContaining("BEGIN CERTIFICATE") as string });
  });

  const open = files.of("proxy.key", "open.key");
  chmodSync(open, 0o644);
  const garbage = files.at("garbage.pem");
  writeFileSync(garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", { mode: 0o600 });
  const large = files.at("large.pem");
  writeFileSync(large, Buffer.alloc(1024 * 1024 + 1), { mode: 0o600 });
  const missing = files.at("none.pem");

  test.each([
    [{ key: open }, "key", `expected a key that not everybody can read, got mode 0644: chmod o= ${open}`],
    [{ key: files.of("zeo.key") }, "key", /^expected the key of the certificate in .*, got another one in /],
    [{ key: files.of("passphrase.key") }, "key", /without a passphrase, got one with a passphrase in /],
    [{ key: garbage }, "key", /^expected a private key \(PEM\) without a passphrase, got something else in /],
    [{ key: missing }, "key", `expected a file that can be read, got no such file: ${missing}`],
    [{ certificate: missing }, "certificate", `expected a file that can be read, got no such file: ${missing}`],
    [{ certificate: garbage }, "certificate", `expected a certificate (PEM), got something else in ${garbage}`],
    [{ certificate: fixture("..") }, "certificate", /got a directory: /],
    [{ ca: large }, "ca", `expected a file of at most 1MiB, got a larger one: ${large}`],
    [{ ca: key }, "ca", `expected a certificate (PEM), got something else in ${key}`],
  ] as const)("%o: wrong is the %s", (given, option, message) => {
    expect(readTlsFiles({ certificate, key, ca, minimum: "1.2", ...given })).toEqual([
      { option, message: typeof message === "string" ? message : (expect.stringMatching(message) as string) },
    ]);
  });
});

const PLACE = { listen: "127.0.0.1:0", server: "127.0.0.1:8100" };

function problemsOf(upstream: object): string[] {
  try {
    parseConfig({ upstreams: [{ ...PLACE, ...upstream }] });
    return [];
  } catch (error) {
    return (error as ConfigError).problems.map(
      ({ path, message }) => `${path.replace("upstreams[0].", "")}: ${message}`,
    );
  }
}

describe("a configuration", () => {
  it("with TLS and Unix sockets is read", () => {
    const { upstreams } = parseConfig({
      upstreams: [
        {
          listen: "/run/zeo-proxy//main.sock",
          server: "/run/zeo.sock",
          socket: { mode: "0600", owner: "root", group: 12 },
          tls: { certificate, key, ca, clients: "required", minimum: 1.3 },
          "server-tls": { ca, verify: "on", name: "zeo.example" },
        },
      ],
    });
    expect(upstreams).toMatchObject([
      {
        name: "/run/zeo.sock",
        listen: { path: "/run/zeo-proxy/main.sock" },
        server: { path: "/run/zeo.sock" },
        socket: { mode: 0o600, owner: 0, group: 12 },
        tls: { certificate, key, ca, clients: "required", minimum: "1.3" },
        serverTls: { ca, verify: "on", minimum: "1.2" },
      },
    ]);
  });

  test.each([
    [{ tls: { certificate, key, clients: "required" } }, "tls.clients: expected a ca for required, got none"],
    [{ tls: { certificate, key, ca } }, "tls.ca: expected clients: optional or required, got none"],
    [{ tls: { certificate } }, "tls.key: expected the absolute path of a file, got nothing"],
    [{ tls: { certificate, key: "proxy.key" } }, 'tls.key: expected the absolute path of a file, got "proxy.key"'],
    [{ tls: { certificate, key, minimum: "1.1" } }, 'tls.minimum: expected one of 1.2, 1.3, got "1.1"'],
    [{ "server-tls": { certificate } }, "server-tls.certificate: expected its key as well, got none"],
    [{ "server-tls": { key } }, "server-tls.key: expected its certificate as well, got none"],
    [{ server: "/zeo.sock", "server-tls": {} }, /^server-tls: expected the name that the server's certificate has/],
    [{ socket: {} }, "socket: expected a listening address that is a path, got HOST:PORT"],
    [{ listen: "/a", socket: { mode: 660 } }, 'socket.mode: expected an octal mode in quotes such as "0660", got 660'],
    [{ listen: "/a", socket: { owner: "no such user" } }, /^socket\.owner: expected a user of this machine, by name/],
    [
      { listen: `/${"a".repeat(107)}` },
      /^listen: expected HOST:PORT .*, or an absolute path of at most 107 bytes, got /,
    ],
    [{ listen: "/a\nb" }, /^listen: expected HOST:PORT /],
    [
      { listen: "/run/zeo.sock", server: "/run/../run/zeo.sock" },
      /^server: expected a ZEO server, got \/run\/zeo\.sock/,
    ],
  ] as const)("%o is wrong", (upstream, problem) => {
    expect(problemsOf(upstream)).toEqual([
      typeof problem === "string" ? problem : (expect.stringMatching(problem) as string),
    ]);
  });

  it("says where in its file a wrong one stands", () => {
    const text = [
      "upstreams:",
      "  - listen: 127.0.0.1:0",
      "    server: 127.0.0.1:1",
      "    tls:",
      `      certificate: ${certificate}`,
      `      key: ${files.at("none.key")}`,
    ].join("\n");
    expect(() => parseConfigText(text, "zeo.yaml")).toThrow(
      /^zeo\.yaml:6:12: upstreams\[0\]\.tls\.key: expected a file that can be read, got no such file: /,
    );
  });
});
