import { SOURCES, type Source, type Transaction } from "./transaction.ts";

/** What is wanted of all transactions: each wanted source, or object, will do. */
export interface Filter {
  readonly oids: ReadonlySet<string>;
  readonly sources: ReadonlySet<Source>;
  /** Only those of which the server's message left something out. */
  readonly incomplete: boolean;
}

const OID = /^(?:0x)?([0-9a-fA-F]{1,16})$/;

/** Reads oids (hex, zeros before them may be left out), sources, and `incomplete`. @returns undefined for anything else */
export function parseFilter(texts: readonly string[]): Filter | undefined {
  const oids = new Set<string>();
  const sources = new Set<Source>();
  let incomplete = false;
  for (const text of texts) {
    const [, hex] = OID.exec(text) ?? [];
    const source = SOURCES.find((one) => one === text);
    if (text === "incomplete") incomplete = true;
    else if (source !== undefined) sources.add(source);
    else if (hex !== undefined) oids.add(hex.toLowerCase().padStart(16, "0"));
    else return undefined;
  }
  return { oids, sources, incomplete };
}

/** Every kind of condition that is given must hold: one of the sources, one of the objects. */
export function passes({ oids, sources, incomplete }: Filter, transaction: Transaction): boolean {
  if (sources.size > 0 && !sources.has(transaction.source)) return false;
  if (oids.size > 0 && !transaction.oids.some((oid) => oids.has(oid))) return false;
  if (!incomplete) return true;
  const { named } = transaction;
  if (named === undefined) return false;
  const known = new Set(named);
  return transaction.oids.some((oid) => !known.has(oid));
}
