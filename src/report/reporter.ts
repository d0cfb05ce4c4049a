import type { Happening, Report } from "../happening/happening.ts";

/**
 * Tells each of the readers, in order. One that throws is its owner's affair: that must not come between what the proxy
 * is doing, nor keep the others from being told, so it is thrown later.
 */
export function reportTo(...readers: readonly ((happening: Happening) => void)[]): Report {
  return (happening) => {
    for (const read of readers) {
      try {
        read(happening);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  };
}
