import { describe, expect, it } from "vitest";
import { changedInUpstream, changedOptions, inForce, whatChangesTake } from "../../src/config/changes.ts";
import { parseConfig, type Config, type ConfigInput } from "../../src/config/load.ts";

const UPSTREAM = { name: "main", listen: "127.0.0.1:9100", server: "127.0.0.1:8100" };

function config(rest: Omit<ConfigInput, "upstreams"> = {}, upstream = {}): Config {
  return parseConfig({ upstreams: [{ ...UPSTREAM, ...upstream }], ...rest });
}

/** Of each option another value than its default. */
const OTHERS: Omit<ConfigInput, "upstreams"> = {
  log: { level: "debug", format: "json", oids: 3, repairs: "summary" },
  limits: {
    clients: 5,
    frame: "1MiB",
    memory: "2MiB",
    history: "3MiB",
    handshake: "4s",
    stalled: "5s",
    drain: "6s",
    failover: "7s",
  },
  witness: { poll: "2s", hold: "3s", "catch-up": { transactions: 4, time: "5s" } },
  "keep-alive": "1m",
  "unknown-protocol": "refuse",
};

const ADMIN = { listen: "127.0.0.1:9180", "token-file": "/a", tls: { certificate: "/b", key: "/c" }, hosts: ["zeo"] };

describe("what a change takes", () => {
  const all = whatChangesTake();

  it("is said of every option", () => {
    expect(all.size).toBeGreaterThan(20);
    expect([...all].filter(([, takes]) => takes === undefined)).toEqual([]);
    expect(new Set(all.values())).toEqual(new Set(["at once", "the upstream", "restart"]));
  });

  it("is found for every option that was changed", () => {
    const found = changedOptions(config(), config(OTHERS));
    const outside = [...all].filter(([path]) => !path.startsWith("upstreams") && !path.startsWith("admin"));
    expect(Object.fromEntries(found.map(({ option, takes }) => [option, takes]))).toEqual(Object.fromEntries(outside));
    expect(found.filter(({ takes }) => takes === "restart")).toEqual([{ option: "log.format", takes: "restart" }]);
  });

  it("is in force where it needs no restart; else what was before it, as often as one asks", () => {
    const before = config({ admin: ADMIN });
    const next = config({ ...OTHERS, admin: { ...ADMIN, listen: "127.0.0.1:1", hosts: [] } });
    const now = inForce(before, next);
    const needs = (after: Config): string[] =>
      changedOptions(now, after)
        .filter(({ takes }) => takes === "restart")
        .map(({ option }) => option);
    expect(changedOptions(now, next).map(({ option }) => option)).toEqual(needs(next));
    expect(needs(next)).toEqual(["log.format", "admin.listen", "admin.hosts"]);
    expect(needs(before)).toEqual([]);
    expect(now).toEqual({ ...next, admin: before.admin, log: { ...next.log, format: before.log.format } });
    expect(inForce(before, config()).admin).toBe(before.admin);
    expect(inForce(config(), before).admin).toBeUndefined();
    // All that needs a restart is kept here.
    expect([...all].flatMap(([path, takes]) => (takes === "restart" ? [path] : []))).toEqual([
      "log.format",
      "admin",
      "admin.listen",
      "admin.tls",
    ]);
    const rest = { ...ADMIN, hosts: [] };
    expect(inForce(before, config({ admin: rest })).admin).toMatchObject({ hosts: [] });
  });

  it("is found for the admin address, which takes all of it or nothing", () => {
    const changed = (before: object | undefined, after: object | undefined): unknown[] =>
      changedOptions(config({ admin: before as never }), config({ admin: after as never })).map((one) =>
        Object.values(one),
      );
    const other = { ...ADMIN, "token-file": "/x", tls: { certificate: "/y", key: "/z" }, hosts: [] };
    expect(changed(undefined, ADMIN)).toEqual([["admin", "restart"]]);
    expect(changed(ADMIN, undefined)).toEqual([["admin", "restart"]]);
    expect(changed(ADMIN, other)).toEqual([
      ["admin.token-file", "at once"],
      ["admin.tls.certificate", "at once"],
      ["admin.tls.key", "at once"],
      ["admin.hosts", "at once"],
    ]);
    expect(changed(ADMIN, { ...ADMIN, hosts: [], tls: undefined })).toEqual([
      ["admin.tls", "restart"],
      ["admin.hosts", "restart"],
    ]);
    const named = [...all].flatMap(([path]) => (path.startsWith("admin.") ? [path] : []));
    const each = [changed(ADMIN, { ...other, listen: "127.0.0.1:9181" }), changed(ADMIN, { ...ADMIN, tls: undefined })];
    expect(new Set(each.flat().map((one) => (one as string[])[0]))).toEqual(new Set(named));
  });

  it("is nothing where nothing was changed", () => {
    expect(changedOptions(config(OTHERS), config(OTHERS))).toEqual([]);
    expect(changedOptions(config(), config({ limits: { drain: "10s" } }))).toEqual([]);
  });
});

describe("a change of an upstream", () => {
  const changed = (upstream: object) =>
    changedInUpstream(config().upstreams[0] as never, config({}, upstream).upstreams[0] as never);

  it("is found for each of its options", () => {
    expect(changed({})).toEqual([]);
    expect(changed({ name: "other" })).toEqual([{ option: "name", takes: "at once" }]);
    expect(changed({ listen: "127.0.0.1:9101" })).toEqual([{ option: "listen", takes: "the upstream" }]);
    expect(changed({ server: "127.0.0.1:8101", witness: "off", storages: ["1"] })).toEqual([
      { option: "server", takes: "the upstream" },
      { option: "witness", takes: "the upstream" },
      { option: "storages", takes: "the upstream" },
    ]);
  });

  it("is found for who may come", () => {
    const more = {
      allow: ["10.0.0.0/8"],
      deny: ["10.1.0.0/16"],
      clients: 3,
      "clients-per-address": 2,
      "accept-proxy": true,
    };
    const all = ["allow", "deny", "clients", "clients-per-address", "accept-proxy"];
    expect(changed({ ...more, repair: "observe" })).toEqual([
      { option: "repair", takes: "at once" },
      ...all.map((option) => ({ option, takes: "at once" })),
    ]);
  });

  it("is found within TLS, and where that has come or gone", () => {
    const [before] = config().upstreams;
    const tls = { certificate: "/a", key: "/b", clients: "none", minimum: "1.2" };
    const serverTls = { name: "zeo", verify: "on", minimum: "1.2" };
    const with_ = (more: object): never => ({ ...before, ...more }) as never;
    expect(changedInUpstream(before as never, with_({ tls, serverTls }))).toEqual([
      { option: "tls", takes: "the upstream" },
      { option: "server-tls", takes: "the upstream" },
    ]);
    expect(changedInUpstream(with_({ tls }), with_({ tls: { ...tls, key: "/c", clients: "required" } }))).toEqual([
      { option: "tls.key", takes: "at once" },
      { option: "tls.clients", takes: "at once" },
    ]);
    expect(changedInUpstream(with_({ serverTls }), with_({ serverTls: { ...serverTls, name: "other" } }))).toEqual([
      { option: "server-tls.name", takes: "the upstream" },
    ]);
  });

  it("of which nothing is known closes it, by its name in YAML", () => {
    const [before] = config().upstreams;
    const after = { ...before, somethingNew: {} } as never;
    expect(changedInUpstream(before as never, after)).toEqual([{ option: "something-new", takes: "the upstream" }]);
  });
});
