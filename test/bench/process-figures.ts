import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** What the system says of another process; undefined where it doesn't. */

/** For how many microseconds its threads have run: by the scheduler's own clock, which no sampling blurs. */
export function cpuUs(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) => runTime(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8")));
    return nanoseconds.reduce((sum, one) => sum + one, 0) / 1000;
  } catch {
    return undefined;
  }
}

/** The first of three numbers: ns on a processor, ns waiting for one, slices. */
export function runTime(schedstat: string): number {
  return Number(schedstat.split(" ", 1)[0]);
}

export interface Memory {
  readonly residentBytes: number;
  readonly peakBytes: number;
}

export function memory(pid: number): Memory | undefined {
  try {
    return memoryIn(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return undefined;
  }
}

export function memoryIn(status: string): Memory {
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, "m").exec(status)?.[1]);
  return { residentBytes: kib("VmRSS") * 1024, peakBytes: kib("VmHWM") * 1024 };
}

/** From now on the peak is counted from what is resident now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** How many descriptors a process can have at most here. */
export function mostDescriptors(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const [, hard] = /^Max open files +\d+ +(\d+) /m.exec(limits) ?? [];
    return hard === undefined ? undefined : Number(hard);
  } catch {
    return undefined;
  }
}
