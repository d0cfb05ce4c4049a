import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { loadConfig, parseConfig, parseConfigText } from "../../src/config/load.ts";
import { configSchema } from "../../src/config/schema.ts";
import { ExampleFiles, type Block } from "./switched-on.ts";

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly default?: unknown;
  readonly description?: string;
}

interface Option {
  readonly path: readonly (string | number)[];
  readonly default: unknown;
  readonly description: string | undefined;
}

const file = "config/zeo-proxy.yaml";
const text = readFileSync(file, "utf8");
/** With what is off switched on: `#` without a space behind it, or with as many as YAML indents by. */
const whole = text.replaceAll(/^( *)#((?: {2})*[a-z#])/gm, "$1$2");
const example: unknown = parse(whole);
/** Shown with another value than its default, which its comment says: that one can't stand beside `ca`. */
const NOT_BY_DEFAULT = ["upstreams.0.tls.clients"];
/** Those of maps that may be left out, as that one is in a configuration with defaults alone. */
const OFF = ["socket", "tls", "server-tls", "admin"];
const options = optionsOf(z.toJSONSchema(configSchema, { io: "input" }) as Schema, []);

/** Every option of the schema, those of a list of maps as those of its first item. */
function optionsOf(schema: Schema, path: readonly (string | number)[]): Option[] {
  if (schema.items?.properties !== undefined) return optionsOf(schema.items, [...path, 0]);
  if (schema.properties === undefined) return [{ path, default: schema.default, description: schema.description }];
  return Object.entries(schema.properties).flatMap(([key, inner]) => optionsOf(inner, [...path, key]));
}

/** How many values it has; an address is one, and a list of names. */
function valuesIn(config: object): number {
  if ("port" in config || (Array.isArray(config) && typeof config[0] !== "object")) return 1;
  const values: unknown[] = Object.values(config).filter((one) => one !== undefined);
  return values.reduce<number>((sum, one) => sum + (typeof one === "object" && one !== null ? valuesIn(one) : 1), 0);
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value);
}

describe("the example configuration", () => {
  it("is read as the server and the proxy of its comments, with every default", () => {
    expect(loadConfig(file)).toEqual(
      parseConfig({ upstreams: [{ name: "main", listen: "127.0.0.1:9100", server: "127.0.0.1:8100" }] }),
    );
  });

  it("is of a schema whose options were found", () => {
    const names = options.map(({ path }) => path.join("."));
    expect(names).toEqual(
      expect.arrayContaining(["upstreams.0.name", "log.level", "limits.drain", "unknown-protocol"]),
    );
  });

  it("comes out of the schema with as many values as went in: none is dropped on the way", () => {
    const given = options.filter(({ path }) => !path.some((key) => OFF.includes(String(key))));
    expect(given.length).toBeGreaterThan(20);
    expect(valuesIn(loadConfig(file))).toBe(given.length);
  });

  test.each(options)("shows $path with its default", ({ path, default: value, description }) => {
    const shown = valueAt(example, path);
    expect(shown).toBeDefined();
    if (NOT_BY_DEFAULT.includes(path.join("."))) {
      expect(shown).not.toEqual(value);
      expect(text).toMatch(new RegExp(`# .*if left out: ${String(value)}\\.\\n *#? *${String(path.at(-1))}: `));
    } else if (value !== undefined) expect(shown).toEqual(value);
    expect(description).toBeDefined();
  });

  test.each(options)("has a comment above $path", ({ path }) => {
    const key = String(path.at(-1));
    const lines = whole.split("\n");
    const parent = lines.findIndex((line) => new RegExp(`^[ -]*${String(path.at(-2))}:`).test(line));
    const at = lines.findIndex((line, index) => index > parent && new RegExp(`^[ -]*${key}: \\S`).test(line));
    expect(lines[at - 1]).toMatch(/^ *# /);
  });
});

function blocksIn(lines: readonly string[]): Block[] {
  return lines.flatMap((line, first) => {
    const [, indent, key] = /^( *)#([a-z][\w-]*):/.exec(line) ?? [];
    if (indent === undefined || key === undefined) return [];
    const behind = lines.slice(first + 1).findIndex((one) => !one.startsWith(`${indent}#  `));
    return [{ key, first, last: behind < 0 ? lines.length - 1 : first + behind }];
  });
}

describe("an option that is off in the example", () => {
  const files = new ExampleFiles();
  const blocks = blocksIn(text.split("\n"));
  const switchedOn = (wanted: readonly Block[]): string =>
    files.switchedOn(text, wanted, (line) => line.replace("#", ""));

  it("is found, each of them", () => {
    expect(blocks.map(({ key }) => key)).toEqual(["servers", "socket", "tls", "server-tls", "admin"]);
  });

  test.each(blocks)("is good when its comment signs are taken away: $key", (block) => {
    const config = parseConfigText(switchedOn([block]), "example");
    expect(config).not.toEqual(loadConfig(file));
  });

  it("is good beside all others", () => {
    expect(parseConfigText(switchedOn(blocks), "example").admin?.tls).toBeDefined();
  });
});
