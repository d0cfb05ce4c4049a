/** Whoever asks more often gets the same again: so that asking costs the proxy's clients nothing that they would feel. */
const REUSED_MS = 100;

/** What is made for whoever asks, at most ten times a second. Between two that are asked for less often nothing is kept. */
export function reused(make: () => string): () => string {
  let made: string | undefined;
  let at = Number.NEGATIVE_INFINITY;
  return () => {
    const now = performance.now();
    if (made === undefined || now - at >= REUSED_MS) {
      made = make();
      at = now;
      setTimeout(() => {
        if (performance.now() - at >= REUSED_MS - 1) made = undefined;
      }, REUSED_MS).unref();
    }
    return made;
  };
}
