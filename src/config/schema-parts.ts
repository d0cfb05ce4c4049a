import { z } from "zod";

// What all parts of the schema are made of.

export const SWITCH = ["on", "off"] as const;

export function map<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, { error: `a map with the keys ${Object.keys(shape).join(", ")}` });
}

export function oneOf(values: readonly string[]): string {
  return `one of ${values.join(", ")}`;
}
