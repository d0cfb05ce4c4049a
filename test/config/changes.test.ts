import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { changedInUpstream, changedOptions, whatChangesTake } from "../../src/config/changes.ts";
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
  },
  witness: { poll: "2s", hold: "3s", "catch-up": { transactions: 4, time: "5s" } },
  "keep-alive": "1m",
  "unknown-protocol": "refuse",
};

describe("what a change takes", () => {
  const all = whatChangesTake();

  it("is said of every option", () => {
    expect(all.size).toBeGreaterThan(20);
    expect([...all].filter(([, takes]) => takes === undefined)).toEqual([]);
    expect(new Set(all.values())).toEqual(new Set(["at once", "the upstream", "restart"]));
  });

  it("is found for every option that was changed", () => {
    const found = changedOptions(config(), config(OTHERS));
    const outside = [...all].filter(([path]) => !path.startsWith("upstreams"));
    expect(Object.fromEntries(found.map(({ option, takes }) => [option, takes]))).toEqual(Object.fromEntries(outside));
    expect(found.filter(({ takes }) => takes === "restart")).toEqual([{ option: "log.format", takes: "restart" }]);
  });

  it("is said in the documentation of each that takes more than to act at once, and of no other", () => {
    const text = readFileSync("docs/configuration.md", "utf8");
    const section = /### Reloading it\n([\s\S]*?)\n {2}- `limits/.exec(text)?.[1] ?? "";
    const named = [...section.matchAll(/`((?:upstreams\[\]|log)\.[a-z-]+)`/g)].map(([, option]) => option);
    const more = [...all].filter(([, takes]) => takes !== "at once").map(([option]) => option);
    expect(new Set(named)).toEqual(new Set(["upstreams[].name", ...more]));
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

  it("of which nothing is known closes it, by its name in YAML", () => {
    const [before] = config().upstreams;
    const after = { ...before, serverTls: {} } as never;
    expect(changedInUpstream(before as never, after)).toEqual([{ option: "server-tls", takes: "the upstream" }]);
  });
});
