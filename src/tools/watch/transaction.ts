import type { Tid } from "../../wire/ids.ts";

export const SOURCES = ["told", "asked", "read"] as const;

/**
 * How a transaction was found.
 * - `told`: the server sent a message about it.
 * - `asked`: it sent none; the server's last transaction, which is asked for, has shown it.
 * - `read`: it was there before the connection was, and was read from the storage. Whether others were told nobody knows.
 */
export type Source = (typeof SOURCES)[number];

/** A transaction as the storage has it, and what the server's message said of it. */
export interface Transaction {
  readonly tid: Tid;
  /** All of its objects, in hex, each once, in the storage's order. */
  readonly oids: readonly string[];
  readonly source: Source;
  /** Those that the message named, each once; empty with `asked`, undefined with `read`. */
  readonly named: readonly string[] | undefined;
}

/** What the server's message left out; undefined where nobody knows. */
export function leftOut({ oids, named }: Transaction): readonly string[] | undefined {
  if (named === undefined) return undefined;
  if (named.length === 0) return oids;
  const known = new Set(named);
  return oids.filter((oid) => !known.has(oid));
}

/** Packed oids in hex, each once. */
export function oidsIn(packed: Buffer): readonly string[] {
  const hex = packed.toString("hex");
  const oids = new Set<string>();
  for (let at = 0; at < hex.length; at += 16) oids.add(hex.slice(at, at + 16));
  return [...oids];
}
