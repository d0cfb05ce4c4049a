const PIECE_BYTES = 32 * 1024;
/** What is larger has memory of its own: it can be given back alone. */
const SMALL_BYTES = 1024;

/**
 * Gives so many bytes that nobody else writes to; what stands in them is not said. Small sets of oids share a piece of memory, as
 * to get and to give back each by itself costs more than all that is done with it. They live as long as their neighbours,
 * roughly: the history forgets the oldest first.
 */
export function newRoom(): (bytes: number) => Buffer {
  let piece = Buffer.alloc(0);
  let used = 0;
  return (bytes) => {
    if (bytes > SMALL_BYTES) return Buffer.allocUnsafeSlow(bytes);
    if (used + bytes > piece.length) {
      piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
      used = 0;
    }
    used += bytes;
    return piece.subarray(used - bytes, used);
  };
}

/** The ledgers'. */
export const room = newRoom();
