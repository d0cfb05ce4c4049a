import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it, test } from "vitest";
import { loadConfig, parseConfig, parseConfigText, toConfig, type Config } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { createProxy } from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-config-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ONE = "upstreams: [{ listen: 127.0.0.1:9100, server: 127.0.0.1:8100 }]\n";

const UPSTREAM_KEYS =
  "name, listen, server, servers, socket, tls, server-tls, witness, repair, storages, allow, deny, clients, clients-per-address, accept-proxy";

/** The message of every problem in a text, one a line. */
function problems(text: string): string[] {
  return caught(() => parseConfigText(text, "F"));
}

function caught(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.code).toBe("CONFIG");
    return error.message.split("\n");
  }
  return [];
}

describe("a good configuration", () => {
  it("needs only an upstream; everything else has a default", () => {
    expect(parseConfigText(ONE, "F")).toEqual({
      upstreams: [
        {
          name: "127.0.0.1:8100",
          listen: { host: "127.0.0.1", port: 9100 },
          server: { host: "127.0.0.1", port: 8100 },
          standbys: [],
          witness: "on",
          repair: "on",
          storages: [],
          admission: { allow: [], deny: [], clients: 1_000_000, clientsPerAddress: 1_000_000, acceptProxy: false },
        },
      ],
      log: { level: "info", format: "auto", oids: 20, repairs: "each" },
      limits: {
        clients: 10_000,
        frameBytes: 2 ** 31,
        memoryBytes: 512 * 2 ** 20,
        historyBytes: 64 * 2 ** 20,
        handshakeMs: 30_000,
        stalledMs: 60_000,
        drainMs: 10_000,
        failoverMs: 10_000,
      },
      witness: { pollMs: 1_000, holdMs: 2_000, transactions: 10_000, rangeMs: 30_000 },
      keepAliveMs: 120_000,
      unknownProtocol: "relay",
    });
  });

  it("takes every option", () => {
    const text = `
upstreams:
  - name: main
    listen: "[::1]:0"
    server: zeo.example.com:8100
    witness: off
    repair: observe
    storages: ["1", main]
    allow: [10.0.0.0/8, "2001:DB8::/32"]
    deny: [10.9.0.0/16, "::ffff:10.1.2.3"]
    clients: 20
    clients-per-address: 2
    accept-proxy: [192.0.2.7]
log: { level: debug, format: json, oids: 0, repairs: summary }
limits: { clients: 1, frame: 1GiB, memory: 2MiB, history: 3MiB, handshake: 1m30s, stalled: 2m, drain: 0s, failover: 3s }
witness: { poll: 10ms, hold: 5s, catch-up: { transactions: 1, time: 1m } }
keep-alive: 1m30s
unknown-protocol: refuse
`;
    expect(parseConfigText(text, "F")).toEqual({
      upstreams: [
        {
          name: "main",
          listen: { host: "::1", port: 0 },
          server: { host: "zeo.example.com", port: 8100 },
          standbys: [],
          witness: "off",
          repair: "observe",
          storages: ["1", "main"],
          admission: {
            allow: [
              { family: "ipv4", address: "10.0.0.0", prefix: 8 },
              { family: "ipv6", address: "2001:db8::", prefix: 32 },
            ],
            deny: [
              { family: "ipv4", address: "10.9.0.0", prefix: 16 },
              { family: "ipv4", address: "10.1.2.3", prefix: 32 },
            ],
            clients: 20,
            clientsPerAddress: 2,
            acceptProxy: [{ family: "ipv4", address: "192.0.2.7", prefix: 32 }],
          },
        },
      ],
      log: { level: "debug", format: "json", oids: 0, repairs: "summary" },
      limits: {
        clients: 1,
        frameBytes: 2 ** 30,
        memoryBytes: 2 * 2 ** 20,
        historyBytes: 3 * 2 ** 20,
        handshakeMs: 90_000,
        stalledMs: 120_000,
        drainMs: 0,
        failoverMs: 3_000,
      },
      witness: { pollMs: 10, holdMs: 5_000, transactions: 1, rangeMs: 60_000 },
      keepAliveMs: 90_000,
      unknownProtocol: "refuse",
    });
  });

  it("may have several upstreams on one server, and several on port 0", () => {
    const upstream = { listen: "127.0.0.1:0", server: "a:1" };
    const config = parseConfig({ upstreams: [upstream, { ...upstream, name: "a:1#2" }, upstream] });
    expect(config.upstreams.map(({ name }) => name)).toEqual(["a:1", "a:1#2", "a:1#3"]);
  });

  it("is taken from a program as it is when it was checked before", () => {
    const config = parseConfigText(ONE, "F");
    expect(toConfig(config)).toBe(config);
    expect(toConfig({ upstreams: [{ listen: "127.0.0.1:9100", server: "127.0.0.1:8100" }] })).toEqual(config);
  });
});

describe("servers", () => {
  const read = (upstream: string): Config["upstreams"][number] | undefined =>
    parseConfigText(`upstreams: [{ listen: "a:1", ${upstream} }]\n`, "F").upstreams[0];

  it("are the first one, and those that take its place, in order", () => {
    expect(read('servers: ["x:1", /run/y.sock, "[::1]:3"]')).toMatchObject({
      name: "x:1",
      server: { host: "x", port: 1 },
      standbys: [{ path: "/run/y.sock" }, { host: "::1", port: 3 }],
    });
    expect(read('servers: ["x:1"]')).toEqual(read('server: "x:1"'));
  });

  it.each([
    ['server: "x:1", servers: ["y:1"]', "upstreams[0].servers: expected server or servers, got both"],
    ['servers: ["x:1", "y:1", "x:1"]', "upstreams[0].servers[2]: expected an address of its own, got x:1 again"],
    [
      'servers: ["x:1", "a:1"]',
      "upstreams[0].servers[1]: expected a ZEO server, got a:1, the upstream's own listening address",
    ],
    ["servers: []", "upstreams[0].servers: expected a list of 1 to 16 addresses of servers, got a list"],
    ['servers: ["x:1", 5]', "upstreams[0].servers[1]: expected HOST:PORT such as 127.0.0.1:8100"],
  ])("%s is wrong", (upstream, problem) => {
    const found = problems(`upstreams: [{ listen: "a:1", ${upstream} }]\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });

  it("that lead back by way of another upstream are found at any place", () => {
    const text = `upstreams:
  - { listen: "a:1", servers: ["x:1", "b:1"] }
  - { listen: "b:1", servers: ["y:1", "a:1"] }
`;
    expect(problems(text)).toEqual([
      "F:2:39: upstreams[0].servers[1]: expected a ZEO server, got b:1, which leads back to this upstream",
      "F:3:39: upstreams[1].servers[1]: expected a ZEO server, got a:1, which leads back to this upstream",
    ]);
  });
});

describe("what is wrong with a configuration", () => {
  it("is said all at once, each with file, line, column, path and what was expected", () => {
    const text = `upstreams:
  - name: main
    listen: 127.0.0.1:9100
    server: 127.0.0.1:9100
    extra: 1
  - name: main
    listen: localhost:9100
    server: 5
  - listen: :80
log:
limits: { clients: 0, frame: 3GiB, memory: 64, clients: 5, drain: 5 }
unknown-protocol: relax
__proto__: 5
toString: 6
7: 8
`;
    const path = "or an absolute path of at most 107 bytes";
    const address = `expected HOST:PORT such as 127.0.0.1:8100, "[::1]:8100" or zeo.example.com:8100, ${path}`;
    const top =
      "unknown key, expected a map with the keys upstreams, log, limits, witness, keep-alive, unknown-protocol, admin";
    expect(problems(text)).toEqual([
      "F:4:13: upstreams[0].server: expected a ZEO server, got 127.0.0.1:9100, the upstream's own listening address",
      `F:5:5: upstreams[0].extra: unknown key, expected a map with the keys ${UPSTREAM_KEYS}`,
      'F:6:11: upstreams[1].name: expected a name of its own, got "main" as upstreams[0] has it',
      "F:7:13: upstreams[1].listen: expected an address of its own, got localhost:9100 " +
        "while upstreams[0] listens on 127.0.0.1:9100",
      `F:8:13: upstreams[1].server: ${address}, got 5`,
      `F:9:5: upstreams[2].server: ${address}, got nothing`,
      'F:9:13: upstreams[2].listen: expected HOST:PORT such as 127.0.0.1:9100 or "[::1]:9100", ' +
        `port 0 for any free one, ${path}, got ":80"`,
      "F:10:1: log: expected a map with the keys level, format, oids, repairs, got an empty value",
      "F:11:20: limits.clients: expected a whole number from 1 to 1000000, got 0",
      'F:11:30: limits.frame: expected a size from 64KiB to 2GiB such as 64MiB, got "3GiB"',
      "F:11:44: limits.memory: expected a size from 1MiB to 1TiB such as 64MiB, got 64",
      "F:11:48: limits.clients: expected each key once, got it again",
      "F:11:67: limits.drain: expected a time from 0s to 1h such as 30s, got 5",
      'F:12:19: unknown-protocol: expected one of relay, refuse, got "relax"',
      `F:13:1: __proto__: ${top}`,
      `F:14:1: toString: ${top}`,
      'F:15:1: expected a key that is text, got "7"',
    ]);
  });

  test.each([
    [
      "",
      "F:1:1: expected a map with the keys upstreams, log, limits, witness, keep-alive, unknown-protocol, admin, got an empty value",
    ],
    [
      "[]",
      "F:1:1: expected a map with the keys upstreams, log, limits, witness, keep-alive, unknown-protocol, admin, got a list",
    ],
    ["{}", "F:1:1: upstreams: expected a list of upstreams, each with listen and server, got nothing"],
    ["upstreams: []", "F:1:12: upstreams: expected at least one upstream with listen and server, got a list"],
    [
      `upstreams: [{ listen: "a:1", server: "b:2", storages: [1] }]`,
      'F:1:56: upstreams[0].storages[0]: expected the name of a storage such as "1", in quotes, got 1',
    ],
    [
      `upstreams: [{ listen: "a:1", server: "b:2", storages: "1" }]`,
      `F:1:55: upstreams[0].storages: expected a list of names of storages, got "1"`,
    ],
    ["upstreams: [5]", `F:1:13: upstreams[0]: expected a map with the keys ${UPSTREAM_KEYS}, got 5`],
    [`${ONE}log: { oids: 1.5 }`, "F:2:14: log.oids: expected a whole number from 0 to 100000, got 1.5"],
    [`${ONE}log: { oids: .nan }`, "F:2:14: log.oids: expected a whole number from 0 to 100000, got NaN"],
    [
      `${ONE}log: { level: true }`,
      "F:2:15: log.level: expected one of trace, debug, info, warn, error, fatal, silent, got true",
    ],
    [`${ONE}limits: { drain: 2h }`, 'F:2:18: limits.drain: expected a time from 0s to 1h such as 30s, got "2h"'],
    [
      `${ONE}limits: { frame: 1KiB }`,
      'F:2:18: limits.frame: expected a size from 64KiB to 2GiB such as 64MiB, got "1KiB"',
    ],
    [`a: &x 1\n${ONE}`, "F:1:7: a: expected a plain value, got a YAML anchor or alias"],
    [`${ONE}log: !local { }`, "F:2:6: expected YAML: Unresolved tag: !local"],
    [
      "upstreams:\n  - listen: [::1]:9100\n    server: a:1\n",
      "F:2:18: expected YAML: Unexpected scalar at node end (an IPv6 address in brackets needs quotes)",
    ],
    [`${ONE}---\n${ONE}`, "F:2:1: expected one YAML document, got another"],
    ["[".repeat(100_000), "F:1:65: expected a configuration, got YAML nested too deep"],
    ["- ".repeat(100_000), "F:1:129: expected a configuration, got YAML nested too deep"],
  ])("case %#", (text, expected) => {
    expect(problems(text)).toContain(expected);
  });

  it("names an alias once, however it is used", () => {
    const text = "upstreams: &all\n  - listen: 127.0.0.1:1\n    server: a:1\nlog: *all\n";
    expect(problems(text)).toEqual([
      "F:2:3: upstreams: expected a plain value, got a YAML anchor or alias",
      "F:4:6: log: expected a plain value, got a YAML anchor or alias",
    ]);
    expect(problems("a: &x [*x]")).toContain("F:1:7: a: expected a plain value, got a YAML anchor or alias");
  });

  it("is a ring of upstreams", () => {
    const ring = [
      { listen: "127.0.0.1:1", server: "127.0.0.1:2" },
      { listen: "127.0.0.1:2", server: "localhost:1" },
      { listen: "127.0.0.1:3", server: "127.0.0.1:1" },
    ];
    expect(caught(() => parseConfig({ upstreams: ring }))).toEqual([
      "upstreams[0].server: expected a ZEO server, got 127.0.0.1:2, which leads back to this upstream",
      "upstreams[1].server: expected a ZEO server, got localhost:1, which leads back to this upstream",
    ]);
  });

  it("is an explicit name that equals a default one only when both were given", () => {
    const upstreams = [
      { listen: "127.0.0.1:1", server: "a:1" },
      { name: "a:1", listen: "127.0.0.1:2", server: "a:1" },
    ];
    expect(parseConfig({ upstreams }).upstreams.map(({ name }) => name)).toEqual(["a:1#2", "a:1"]);
  });

  test.each(["a\nb", "a\u001b[31m", "a\u2028b", "", "x".repeat(301)])("is the name %j", (name) => {
    const upstreams = [{ name, listen: "127.0.0.1:1", server: "a:1" }];
    expect(caught(() => parseConfig({ upstreams }))[0]).toMatch(/^upstreams\[0\]\.name: expected a name of 1 to 300/);
  });

  test.each([undefined, null, 5, "text", [], Symbol("x"), () => 5])("case %#: what a program gives", (input) => {
    expect(caught(() => parseConfig(input))[0]).toMatch(/^expected a map with the keys upstreams/);
    expect(caught(() => createProxy(input as never))).toEqual(caught(() => parseConfig(input)));
  });

  // As a configuration that was checked has it, but without its upstreams.
  test.each([undefined, null, [], [null], ["x"], { 0: {} }])("case %#: upstreams that a program gives", (upstreams) => {
    const input = { upstreams, unknownProtocol: "relay" };
    expect(caught(() => createProxy(input as never)).join("\n")).toMatch(/^upstreams(\[0\])?: expected /m);
  });
});

describe("whatever the text", () => {
  it("is a configuration or a ConfigError whose problems have a place in it", () => {
    const word = fc.constantFrom(
      "upstreams",
      "log",
      "limits",
      "listen",
      "server",
      "127.0.0.1:1",
      "a:1",
      ":",
      "-",
      "[",
      "]",
      "{",
      "}",
      ",",
      "\n",
      "  ",
      "&a",
      "*a",
      "!!str",
      "|",
      ">",
      "'",
      '"',
      "#",
      "---",
      "? ",
      "<<",
      "64MiB",
      "\t",
      "%",
      "\u0000",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), (words) => {
        const text = words.join("");
        try {
          parseConfigText(text, "F");
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
          for (const { line = 0, column = 0 } of error.problems) {
            expect(line).toBeGreaterThan(0);
            expect(line).toBeLessThanOrEqual(text.split("\n").length);
            expect(column).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a file", () => {
  function file(name: string, content: string | Uint8Array): string {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  }

  it("is read", () => {
    expect(loadConfig(file("good.yaml", ONE))).toEqual(parseConfigText(ONE, "F"));
    expect(loadConfig(file("bom.yaml", `\uFEFF${ONE}`))).toEqual(parseConfigText(ONE, "F"));
  });

  it("names itself in what is wrong", () => {
    const path = file("bad.yaml", `${ONE}lgo: {}\n`);
    expect(caught(() => loadConfig(path))[0]).toMatch(`${path}:2:1: lgo: unknown key`);
  });

  test.each([
    ["missing", () => join(folder, "none.yaml"), "expected a file that can be read, got no such file"],
    ["a folder", () => folder, "expected a file that can be read, got a directory"],
    [
      "too large",
      () => file("large.yaml", "#".repeat(1024 * 1024 + 1)),
      "expected a file of at most 1MiB, got a larger one",
    ],
    ["not text", () => file("bytes.yaml", Uint8Array.of(0xff, 0xfe, 0)), "expected UTF-8 text, got other bytes"],
  ])("that is %s is one problem", (_, path, message) => {
    expect(caught(() => loadConfig(path()))).toEqual([`${path()}: ${message}`]);
  });
});
