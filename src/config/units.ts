const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

/**
 * Reads a size: a whole number and a unit, `64KiB`, `2GiB`.
 * @returns bytes, or undefined when the text isn't a size or is too large to count exactly
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d{1,16})(B|KiB|MiB|GiB|TiB)$/.exec(text);
  const unit = SIZE_UNITS[match?.[2] ?? ""];
  if (match === null || unit === undefined) return undefined;
  const bytes = Number(match[1]) * unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * Reads a time: whole numbers with units, the larger first, `250ms`, `30s`, `1h30m`.
 * @returns milliseconds, or undefined when the text isn't a time
 */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/.exec(text);
  if (match === null || text === "") return undefined;
  const [hours, minutes, seconds, ms] = [1, 2, 3, 4].map((group) => Number(match[group] ?? "0"));
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000 + (ms ?? 0);
}

/** Writes a size as {@link parseSize} reads it, in the largest unit that keeps it whole. */
export function formatSize(bytes: number): string {
  const [unit, scale] = largestWhole(bytes, Object.entries(SIZE_UNITS)) ?? ["B", 1];
  return `${bytes / scale}${unit}`;
}

/** Writes a time as {@link parseDuration} reads it, in the largest unit that keeps it whole. */
export function formatDuration(ms: number): string {
  const units: [string, number][] = [
    ["ms", 1],
    ["s", 1000],
    ["m", 60_000],
    ["h", 3_600_000],
  ];
  const [unit, scale] = ms === 0 ? ["s" as const, 1000] : (largestWhole(ms, units) ?? ["ms", 1]);
  return `${ms / scale}${unit}`;
}

function largestWhole(value: number, units: [string, number][]): [string, number] | undefined {
  return units.findLast(([, scale]) => value >= scale && value % scale === 0);
}
