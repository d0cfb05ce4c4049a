import { tidTime } from "../../report/tid-time.ts";
import { tidHex } from "../../wire/ids.ts";
import { counted, paint, type Output } from "../output.ts";
import type { Compared } from "./comparison.ts";
import { messageText } from "./lines.ts";
import { leftOut, type Transaction } from "./transaction.ts";

type Colours = Pick<Output, "hasColours">;

const BEFORE = "                  ".length + "2026-01-01T00:00:00.000Z  ".length;
const COUNT_WIDTH = 12;
const SIDE_WIDTH = 26;

/** What stands above the lines: the two addresses. */
export function compareHead(names: readonly [string, string]): string {
  const [first, second] = names.map((name) => name.padEnd(SIDE_WIDTH));
  return `${" ".repeat(BEFORE)}${"".padEnd(COUNT_WIDTH)} ${first}${second}`.trimEnd().concat("\n");
}

/** A transaction as a line with both sides; with `oids` each object on a line of its own, with who left it out. */
export function comparedText(compared: Compared, oids: boolean, colours: Colours): string {
  const { tid, sides } = compared;
  const [first, second] = sides.map((side) => {
    const [said, colour] = side === undefined ? (["away", "dim"] as const) : messageText(side);
    return paint(colours, colour, said) + " ".repeat(Math.max(1, SIDE_WIDTH - said.length));
  });
  const count = counted(compared.oids.length, "object").padEnd(COUNT_WIDTH);
  const line = `${tidHex(tid)}  ${tidTime(tid)}  ${count} ${first}${second}`.trimEnd();
  if (!oids) return `${line}\n`;
  const missing = sides.map((side) => new Set(side === undefined ? [] : leftOut(side)));
  const marks = (oid: string): string =>
    missing
      .map((one) => {
        const text = one.has(oid) ? "left out" : "";
        return paint(colours, "red", text) + " ".repeat(SIDE_WIDTH - text.length);
      })
      .join("");
  const indent = (oid: string): string => `    ${oid}`.padEnd(BEFORE + COUNT_WIDTH + 1);
  return [line, ...compared.oids.map((oid) => `${indent(oid)}${marks(oid)}`.trimEnd()), ""].join("\n");
}

/** The same as a value for JSON. */
export function comparedFields({ tid, oids, sides }: Compared): object {
  return {
    event: "transaction",
    tid: tidHex(tid),
    time: tidTime(tid),
    oids,
    proxy: sideFields(sides[0]),
    server: sideFields(sides[1]),
  };
}

function sideFields(side: Transaction | undefined): object | null {
  if (side === undefined) return null;
  return { source: side.source, named: side.named ?? null, leftOut: leftOut(side) ?? null };
}
