/**
 * Method names as strings, without a new string for each message: the names that peers use are few, so the ones seen
 * are kept in a small table.
 */

const BUCKETS = 1024;
/** Longer names are not kept; a peer can't fill memory with names either, a bucket holds one. */
const MAX_KEPT = 40;

const table: (string | undefined)[] = Array.from({ length: BUCKETS });

/** The text of `bytes[start, end)`, each byte one character. The caller has checked the bounds. */
export function nameAt(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > MAX_KEPT) return bytes.toString("latin1", start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (hash * 31 + (bytes[i] as number)) | 0;
  const bucket = hash & (BUCKETS - 1);
  const kept = table[bucket];
  if (kept !== undefined && kept.length === length) {
    let i = 0;
    while (i < length && kept.charCodeAt(i) === bytes[start + i]) i++;
    if (i === length) return kept;
  }
  const name = bytes.toString("latin1", start, end);
  table[bucket] = name;
  return name;
}
