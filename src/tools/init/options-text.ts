import { z } from "zod";
import { configSchema } from "../../config/schema.ts";

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly default?: unknown;
}

const WIDTH = 100;

/** Every option beside the upstreams, with its default, all of them comments. So they are always those of this version. */
export function optionsText(): string {
  const { properties = {} } = z.toJSONSchema(configSchema, { io: "input" }) as Schema;
  const blocks = Object.entries(properties)
    .filter(([key]) => key !== "upstreams")
    .map(([key, schema]) => linesOf(key, schema, "").join("\n"));
  return `${blocks.join("\n#\n")}\n`;
}

/** The options of an upstream that need not be given, as comments at that depth. */
export function upstreamOptionsText(indent: string, given: ReadonlySet<string>): string {
  const { properties = {} } = z.toJSONSchema(configSchema, { io: "input" }) as Schema;
  const options = Object.entries(properties["upstreams"]?.items?.properties ?? {});
  return options
    .filter(([key]) => !given.has(key))
    .flatMap(([key, schema]) => linesOf(key, schema, ""))
    .map((line) => `${indent}${line}\n`)
    .join("");
}

function linesOf(key: string, schema: Schema, indent: string): string[] {
  // What there is only where somebody says so has no default that could stand here.
  if (schema.default === undefined) return wrapped(`${key}: ${schema.description ?? ""}`, `# ${indent}# `);
  const about = schema.description === undefined ? [] : wrapped(schema.description, `# ${indent}# `);
  if (schema.properties !== undefined) {
    const inner = Object.entries(schema.properties).flatMap(([name, one]) => linesOf(name, one, `${indent}  `));
    return [...about, `# ${indent}${key}:`, ...inner];
  }
  return [...about, `# ${indent}${key}:${valueText(schema.default)}`];
}

/** As YAML. */
function valueText(value: unknown): string {
  return ` ${typeof value === "string" ? value : JSON.stringify(value)}`;
}

function wrapped(text: string, before: string): string[] {
  const lines: string[] = [];
  let line = before;
  for (const word of text.split(" ")) {
    if (line.length + word.length > WIDTH && line !== before) {
      lines.push(line.trimEnd());
      line = before;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()];
}
