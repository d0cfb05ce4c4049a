import { tidTime } from "../../report/tid-time.ts";
import { tidHex } from "../../wire/ids.ts";
import { counted, paint, type Output } from "../output.ts";
import { leftOut, type Transaction } from "./transaction.ts";

type Colours = Pick<Output, "hasColours">;

/** A transaction as a line; with `oids` each of its objects on a line of its own. */
export function transactionText(transaction: Transaction, oids: boolean, colours: Colours): string {
  const { tid } = transaction;
  const count = counted(transaction.oids.length, "object").padEnd(12);
  const [said, colour] = messageText(transaction);
  const line = `${tidHex(tid)}  ${tidTime(tid)}  ${count} ${paint(colours, colour, said)}`.trimEnd();
  if (!oids) return `${line}\n`;
  const missing = new Set(leftOut(transaction));
  const mark = (oid: string): string => (missing.has(oid) ? `  ${paint(colours, "red", "left out")}` : "");
  return [line, ...transaction.oids.map((oid) => `    ${oid}${mark(oid)}`), ""].join("\n");
}

/** What the server's message was, in a few words, and how that looks. */
export function messageText(transaction: Transaction): readonly [string, "dim" | "green" | "red"] {
  const { oids, source, named } = transaction;
  if (named === undefined) return ["read from the storage", "dim"];
  const missing = leftOut(transaction) ?? [];
  if (source === "asked") return ["no message", oids.length === 0 ? "dim" : "red"];
  if (missing.length === 0) return [oids.length === 0 ? "no objects" : "all named", "green"];
  return [`${oids.length - missing.length} named, ${missing.length} left out`, "red"];
}

/** A transaction as a value for JSON. */
export function transactionFields(transaction: Transaction): object {
  const { tid, oids, source, named } = transaction;
  return {
    event: "transaction",
    tid: tidHex(tid),
    time: tidTime(tid),
    source,
    oids,
    named: named ?? null,
    leftOut: leftOut(transaction) ?? null,
  };
}
