/** What the proxy counts, process-wide; plain numbers, counted when it happens. */
export interface Counters {
  completed: number;
  synthesized: number;
  resumed: number;
  tooOld: number;
  guard: number;
  questions: number;
  /** Sessions that the proxy ended, by code. */
  readonly ended: Map<string, number>;
}

export function newCounters(): Counters {
  return { completed: 0, synthesized: 0, resumed: 0, tooOld: 0, guard: 0, questions: 0, ended: new Map() };
}

export function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
