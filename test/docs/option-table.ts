import { z } from "zod";

// The table of options in docs/configuration.md, made from the schema, so that it is written once.

/** What a new value touches, as `change` in the schema says it. */
const CHANGES = ["at once", "the upstream", "restart"] as const;

const BEGIN = "<!-- options: made from src/config/schema.ts by `npm run docs` -->";
const END = "<!-- /options -->";

/** What is read of a JSON Schema here. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly default?: unknown;
  readonly description?: string;
  /** Of `.meta()`. */
  readonly change?: unknown;
  readonly unset?: unknown;
}

/** An option, a list of maps, or a map that can be left out as a whole. */
export interface OptionRow {
  /** As in `upstreams[].listen`. */
  readonly path: string;
  readonly default: string;
  readonly change: string;
  readonly meaning: string;
}

/**
 * A row for each option of a schema, in its order.
 * @throws Error naming an option that says too little of itself
 */
export function optionRows(schema: z.ZodType): OptionRow[] {
  return rowsBelow(z.toJSONSchema(schema, { io: "input" }) as Schema, "");
}

/**
 * A document with the table between its two marks made anew.
 * @throws Error where it has no such marks
 */
export function withOptionTable(document: string, rows: readonly OptionRow[]): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`expected a line ${BEGIN} and behind it a line ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${optionTable(rows)}\n${document.slice(end)}`;
}

function optionTable(rows: readonly OptionRow[]): string {
  const lines = rows.map((row) =>
    [`\`${row.path}\``, row.default, row.change, row.meaning]
      .map((cell) => ` ${cell.replaceAll("|", "\\|")} |`)
      .join(""),
  );
  return [
    "| option | default | change | meaning |",
    "| --- | --- | --- | --- |",
    ...lines.map((line) => `|${line}`),
    "",
  ].join("\n");
}

function rowsBelow({ properties = {}, required = [] }: Schema, prefix: string): OptionRow[] {
  return Object.entries(properties).flatMap(([key, schema]) =>
    rowsOf(schema, `${prefix}${key}`, required.includes(key)),
  );
}

function rowsOf(schema: Schema, path: string, isNeeded: boolean): OptionRow[] {
  if (schema.items?.properties !== undefined) {
    return [describedRow(schema, path, isNeeded), ...rowsBelow(schema.items, `${path}[].`)];
  }
  if (schema.properties === undefined) return [describedRow(schema, path, isNeeded)];
  const below = rowsBelow(schema, `${path}.`);
  // A map that is always there has nothing to say of itself.
  return schema.default !== undefined ? below : [describedRow(schema, path, isNeeded), ...below];
}

function describedRow(schema: Schema, path: string, isNeeded: boolean): OptionRow {
  const { description, change } = schema;
  if (description === undefined) throw new Error(`${path}: expected a description (.describe)`);
  if (!CHANGES.some((one) => one === change)) {
    throw new Error(`${path}: expected .meta({ change }), one of ${CHANGES.join(", ")}`);
  }
  return { path, default: defaultOf(schema, path, isNeeded), change: String(change), meaning: description };
}

function defaultOf({ default: value, unset }: Schema, path: string, isNeeded: boolean): string {
  if (isNeeded) return "needed";
  if (value !== undefined) return `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
  if (typeof unset === "string") return unset;
  throw new Error(`${path}: expected a default, or .meta({ unset }), what it is where it is left out`);
}
