/** Resolves after so long, or when the signal comes. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/** Did it come within so long, and before the signal? */
export async function within(what: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
  const come = new AbortController();
  const signals = signal === undefined ? come.signal : AbortSignal.any([signal, come.signal]);
  const isIn = await Promise.race([what.then(() => true), pause(ms, signals).then(() => false)]);
  come.abort();
  return isIn;
}

/** Asks until the answer is true; false after `timeoutMs`. For what tells nobody when it happens. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 100,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) return false;
    await pause(everyMs);
  }
  return true;
}
