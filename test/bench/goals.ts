/** What is wanted of the proxy, as ratios to another relay in the same turn. Whatever is left out is wanted of nobody. */
export interface Goals {
  /** Of the pipe's figure: at most, where less is better; else at least. */
  readonly figure?: number;
  /** At most, of the pipe's CPU time per message. */
  readonly cpu?: number;
  /** At most, resident in all. */
  readonly peakMiB?: number;
  /** At most, of HAProxy's. */
  readonly haproxy?: { readonly p50?: number; readonly cpu?: number };
}

const NEAR_HAPROXY = { p50: 1.5, cpu: 2 } as const;

export const GOALS = {
  loads: { figure: 0.85, cpu: 0.9, haproxy: NEAR_HAPROXY },
  batches: { figure: 1.1, cpu: 0.95, haproxy: NEAR_HAPROXY },
  bytes: { figure: 1.15, cpu: 0.8 },
  blobs: { figure: 1.15, cpu: 0.8, peakMiB: 60 },
  commits: { figure: 1, cpu: 1.15 },
  fanOut: { figure: 0.95, cpu: 0.95 },
  created: { figure: 1.05, cpu: 1.05 },
  idle: { figure: 1.1 },
  none: {},
} as const satisfies Record<string, Goals>;

/** A goal, and whether what was measured meets it. */
export interface Judged {
  readonly words: string;
  readonly measured: number;
  readonly isMet: boolean;
}

/** The medians that goals are about; undefined where it was not measured. */
export interface Achieved {
  readonly lessIsBetter: boolean;
  readonly figure?: number | undefined;
  readonly cpu?: number | undefined;
  readonly peakMiB?: number | undefined;
  readonly haproxyP50?: number | undefined;
  readonly haproxyCpu?: number | undefined;
}

export function judge(goals: Goals, achieved: Achieved): Judged[] {
  const judged: Judged[] = [];
  const want = (what: string, measured: number | undefined, limit: number | undefined, isMost: boolean): void => {
    if (limit === undefined || measured === undefined || Number.isNaN(measured)) return;
    const isMet = isMost ? measured <= limit : measured >= limit;
    judged.push({ words: `${what} ${isMost ? "≤" : "≥"} ${limit}`, measured, isMet });
  };
  want("figure", achieved.figure, goals.figure, achieved.lessIsBetter);
  want("CPU", achieved.cpu, goals.cpu, true);
  want("peak MiB", achieved.peakMiB, goals.peakMiB, true);
  want("p50 : HAProxy", achieved.haproxyP50, goals.haproxy?.p50, true);
  want("CPU : HAProxy", achieved.haproxyCpu, goals.haproxy?.cpu, true);
  return judged;
}
