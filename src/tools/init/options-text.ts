import { parse } from "yaml";
import { z } from "zod";
import { configSchema } from "../../config/schema.ts";

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly default?: unknown;
  /** Of `.meta()`: what it is where it is left out, */
  readonly unset?: unknown;
  /** and what it could be, where it has no default or that one can't stand beside the other examples. */
  readonly example?: unknown;
}

const WIDTH = 100;

/**
 * Every option beside the upstreams, with its default, or an example where it has none, all of them comments. So they are always those
 * of this version.
 */
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

/** An option as a comment, which says what it is when its comment sign is taken away; or, without a value to show, about it. */
function linesOf(key: string, schema: Schema, indent: string): string[] {
  const { properties, default: value, example } = schema;
  const before = `# ${indent}# `;
  if (!isShown(schema)) return wrapped(`${key}: ${aboutOff(schema)}`, before);
  if (properties !== undefined) {
    const inner = Object.entries(properties).flatMap(([name, one]) => linesOf(name, one, `${indent}  `));
    const head = value === undefined ? wrapped(`${aboutOff(schema)} For example:`, before) : aboutLines(schema, before);
    return [...head, `# ${indent}${key}:`, ...inner];
  }
  if (example !== undefined) {
    // In a map that is an example itself that need not be said again.
    const about = `${aboutOff(schema)}${indent === "" ? " For example:" : ""}`;
    return [...wrapped(about, before), `# ${indent}${key}: ${yamlOf(example)}`];
  }
  return [...aboutLines(schema, before), `# ${indent}${key}: ${yamlOf(value)}`];
}

/** Is there a value to show, its own or of something in it? */
function isShown({ default: value, example, properties = {} }: Schema): boolean {
  return value !== undefined || example !== undefined || Object.values(properties).some(isShown);
}

function aboutLines({ description }: Schema, before: string): string[] {
  return description === undefined ? [] : wrapped(plain(description), before);
}

/** Of what is not there, or otherwise, unless somebody says so. */
function aboutOff({ description = "", default: value, unset }: Schema): string {
  const without = value ?? unset;
  const leftOut = typeof without === "string" ? ` If left out: ${plain(without)}.` : "";
  return `${plain(description)}.${leftOut}`;
}

/** Descriptions are Markdown, of one document; a file that stands by itself names that. */
function plain(markdown: string): string {
  return markdown
    .replaceAll(/\b([Ss]ee) \[([^\]]+)\]\(#[^)]*\)/g, "$1 docs/configuration.md, $2")
    .replaceAll(/\[([^\]]+)\]\([^)]*\)/g, "$1");
}

/** A value on one line. A text is plain where YAML reads it as that text. */
function yamlOf(value: unknown): string {
  return typeof value === "string" && parse(value) === value ? value : JSON.stringify(value);
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
