import { describe, expect, it } from "vitest";
import { parseConfig, parseConfigText } from "../../../src/config/load.ts";
import { configText } from "../../../src/tools/init/config-text.ts";
import { probe } from "../../../src/tools/probe/probe.ts";
import { ExampleFiles, type Block } from "../../config/switched-on.ts";
import { serve, targetOf } from "../serve.ts";

const LISTEN = { host: "127.0.0.1", port: 9100 };
const SERVER = { host: "::1", port: 8100 };

/** Each example: what is behind a comment that says so, up to the next thing of its depth. */
function examplesIn(text: string): Block[] {
  const lines = text.split("\n");
  return lines.flatMap((line, first) => {
    const [, indent, key] = /^( *)# ([a-z][\w-]*):/.exec(line) ?? [];
    if (indent === undefined || key === undefined) return [];
    let begin = first;
    while (lines[begin - 1]?.startsWith(`${indent}# # `) === true) begin--;
    const about = lines.slice(begin, first).map((one) => one.slice(indent.length + 4));
    if (!about.join(" ").endsWith("For example:")) return [];
    const behind = lines.slice(first + 1).findIndex((one) => !one.startsWith(`${indent}#   `));
    return [{ key, first, last: behind < 0 ? lines.length - 1 : first + behind }];
  });
}

/** Every option with a default becomes one: all comment signs before keys are taken away. */
function uncommented(text: string): string {
  const examples = examplesIn(text);
  return text
    .split("\n")
    .filter((_, at) => !examples.some(({ first, last }) => at >= first && at <= last))
    .filter((line) => !/^ *# *#/.test(line))
    .map((line) => line.replace(/^( *)# (?=\s*[a-z-]+:(?: |$))/, "$1"))
    .join("\n");
}

describe("a configuration that init writes", () => {
  it("is good, and says nothing but the upstream", () => {
    const text = configText({ listen: LISTEN, server: SERVER, found: undefined });
    expect(parseConfigText(text, "init")).toEqual(
      parseConfig({ upstreams: [{ name: "main", listen: "127.0.0.1:9100", server: "[::1]:8100" }] }),
    );
  });

  it("has every option with its default: without its comment signs it means the same", () => {
    const text = configText({ listen: LISTEN, server: SERVER, found: undefined });
    const all = uncommented(text);
    expect(all).toContain("\n  memory: 512MiB\n");
    expect(all).toContain("\n    transactions: 10000\n");
    expect(all).toContain("\n    witness: on\n");
    expect(parseConfigText(all, "init")).toEqual(parseConfigText(text, "init"));
  });

  const plain = configText({ listen: LISTEN, server: SERVER, found: undefined });
  const examples = examplesIn(plain);
  const files = new ExampleFiles();
  const switchedOn = (wanted: readonly Block[]): string =>
    files.switchedOn(plain, wanted, (line) => line.replace("# ", ""));

  it("has an example of what is off", () => {
    expect(examples.map(({ key }) => key)).toEqual(["servers", "socket", "tls", "server-tls", "admin"]);
    expect(plain).toContain("\n# admin:\n");
  });

  it.each(examples)("is good with that example: $key", (block) => {
    const config = parseConfigText(switchedOn([block]), "init");
    expect(config).not.toEqual(parseConfigText(plain, "init"));
  });

  it("is good with all examples", () => {
    const { upstreams, admin } = parseConfigText(switchedOn(examples), "init");
    expect(admin?.listen).toEqual({ host: "127.0.0.1", port: 9180 });
    expect(upstreams[0]?.tls?.clients).toBe("required");
  });

  it("is a file that stands by itself: it has no links", () => {
    expect(plain).not.toMatch(/\]\(/);
    expect(plain).toContain("See docs/configuration.md, A standby.");
  });

  it("has the server's TLS, and paths as they are", () => {
    const server = { path: "/run/zeo #1: a.sock" };
    const serverTls = { name: "zeo.example", verify: "off" };
    const text = configText({ listen: { path: "/run/[x]'.sock" }, server, serverTls, found: undefined });
    expect(parseConfigText(uncommented(text), "init").upstreams).toMatchObject([
      { listen: { path: "/run/[x]'.sock" }, server, serverTls: { name: "zeo.example", verify: "off", minimum: "1.2" } },
    ]);
  });

  it("names the storages that were found", async () => {
    const server = await serve();
    const found = await probe({ target: targetOf(server), storages: ["1", "2"], write: false, timeoutMs: 10_000 });
    const text = configText({ listen: LISTEN, server: { host: "127.0.0.1", port: server.port }, found });
    expect(parseConfigText(text, "init").upstreams[0]?.storages).toEqual(["1"]);
    expect(text).toContain(`# The server at 127.0.0.1:${server.port} announced Z5.\n`);
  });
});
