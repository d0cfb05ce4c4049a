import { describe, expect, it, test } from "vitest";
import { parseConfig, parseConfigText } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/problem.ts";
import { configSchema } from "../../src/config/schema.ts";

const upstream = (options: string): string => `upstreams:\n  - { listen: 127.0.0.1:0, server: "a:1", ${options} }\n`;

function problems(text: string): string[] {
  try {
    parseConfigText(text, "F");
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
  }
  return [];
}

const NETWORK =
  'expected a network such as 10.0.0.0/8 or "2001:db8::/32" with no bits set behind its prefix, or an address';

describe("who may come", () => {
  it("is everybody, who says himself who he is, where nothing is said", () => {
    const [only] = parseConfig({ upstreams: [{ listen: "127.0.0.1:0", server: "a:1" }] }).upstreams;
    expect(only?.admission).toEqual({
      allow: [],
      deny: [],
      clients: 1_000_000,
      clientsPerAddress: 1_000_000,
      acceptProxy: false,
    });
    expect(Object.keys(only ?? {})).not.toContain("accept-proxy");
  });

  it.each([true, false])("accept-proxy may be %s, or a list", (value) => {
    const [only] = parseConfigText(upstream(`accept-proxy: ${value}`), "F").upstreams;
    expect(only?.admission.acceptProxy).toBe(value);
    const [listed] = parseConfigText(upstream("accept-proxy: [10.0.0.1, 10.1.0.0/16]"), "F").upstreams;
    expect(listed?.admission.acceptProxy).toEqual([
      { family: "ipv4", address: "10.0.0.1", prefix: 32 },
      { family: "ipv4", address: "10.1.0.0", prefix: 16 },
    ]);
  });

  test.each([
    [
      "allow: [10.0.0.0/8, 10.0.0.1/8, 10.0.0.0/33]",
      [
        `2:63 upstreams[0].allow[1]: ${NETWORK}, got "10.0.0.1/8"`,
        `2:75 upstreams[0].allow[2]: ${NETWORK}, got "10.0.0.0/33"`,
      ],
    ],
    ["deny: [zeo.example.com]", [`2:50 upstreams[0].deny[0]: ${NETWORK}, got "zeo.example.com"`]],
    ["deny: [10]", [`2:50 upstreams[0].deny[0]: ${NETWORK}, got 10`]],
    ["allow: 10.0.0.0/8", ['2:50 upstreams[0].allow: expected a list of networks and addresses, got "10.0.0.0/8"']],
    ["clients: 0", ["2:52 upstreams[0].clients: expected a whole number from 1 to 1000000, got 0"]],
    [
      "clients-per-address: 1.5",
      ["2:64 upstreams[0].clients-per-address: expected a whole number from 1 to 1000000, got 1.5"],
    ],
    [
      "accept-proxy: on",
      ['2:57 upstreams[0].accept-proxy: expected true, false, or a list of networks and addresses, got "on"'],
    ],
    ["accept-proxy: [10.0.0.0/8, 300.0.0.1]", [`2:70 upstreams[0].accept-proxy[1]: ${NETWORK}, got "300.0.0.1"`]],
    [
      "accept-proxy: [true]",
      ["2:57 upstreams[0].accept-proxy: expected true, false, or a list of networks and addresses, got a list"],
    ],
  ])("%s is an error, with its place", (options, expected) => {
    expect(problems(upstream(options))).toEqual(expected);
  });

  it("can change at a reload without touching a connection, all of it", () => {
    const [array] = [configSchema.in.shape.upstreams];
    const { shape } = array.element.in;
    for (const option of ["allow", "deny", "clients", "clients-per-address", "accept-proxy"] as const) {
      expect(shape[option].meta(), option).toMatchObject({ change: "at once" });
      expect(shape[option].description, option).toMatch(/\w/);
    }
  });
});

describe("over a Unix socket, where nobody has an address", () => {
  const socket = (options: string): string =>
    `upstreams:\n  - listen: /run/zeo-proxy/main.sock\n    server: "a:1"\n    ${options}\n`;
  const WHY = "expected accept-proxy: true beside it, as whoever comes over a Unix socket has no address, got none";

  test.each([
    ["allow: [10.0.0.0/8]", [`4:12 upstreams[0].allow: ${WHY}`]],
    ["deny: [10.0.0.0/8]", [`4:11 upstreams[0].deny: ${WHY}`]],
    ["clients-per-address: 5", [`4:26 upstreams[0].clients-per-address: ${WHY}`]],
    [
      "accept-proxy: [10.0.0.1]",
      [
        "4:19 upstreams[0].accept-proxy: expected true or false, as whoever comes over a Unix socket has no address, got a list",
      ],
    ],
  ])("%s is an error", (options, expected) => {
    expect(problems(socket(options))).toEqual(expected);
  });

  test.each(["clients: 5", "accept-proxy: true", "clients-per-address: 1000000", "allow: []"])(
    "%s is good",
    (options) => {
      expect(problems(socket(options))).toEqual([]);
    },
  );

  it("all of them are good where a PROXY header says the address, and at a port", () => {
    const options = "{ allow: [10.0.0.0/8], deny: [10.9.0.0/16], clients-per-address: 5";
    const other = options.replace("{ ", "{ listen: 127.0.0.1:0, server: a:2, ");
    const text = `upstreams:\n  - ${options.replace("{ ", "{ listen: /a.sock, server: a:1, accept-proxy: true, ")} }\n  - ${other} }\n`;
    expect(problems(text)).toEqual([]);
  });
});
