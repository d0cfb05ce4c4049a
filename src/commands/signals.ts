import { constants } from "node:os";

/** Those that end a command in order. */
export type StopSignal = "SIGTERM" | "SIGINT" | "SIGQUIT";

/** Those that end nothing, though the system would let them. Node would open its debugger for SIGUSR1. */
export type KeptSignal = "SIGHUP" | "SIGUSR1" | "SIGUSR2";

const STOPS: readonly StopSignal[] = ["SIGTERM", "SIGINT", "SIGQUIT"];

/** What each of the others is for, where it does nothing. */
const KEPT = {
  SIGHUP: "reads the configuration again, where there is a file (run --config), and as long as nothing is stopped",
  SIGUSR1: "tells what a proxy knows (run)",
  SIGUSR2: "not used",
} as const satisfies Readonly<Record<KeptSignal, string>>;

/** Who is told of signals. */
export interface SignalListener {
  /** A second one that stops came while the first is carried out: the process is to end at once. */
  readonly again: (signal: StopSignal) => never;
  /** One came that ends nothing, and does nothing here; `use` says what it is for. */
  readonly kept: (signal: KeptSignal, use: string) => void;
  /** What those do that do something: false where that can't be, now or ever. */
  readonly acts?: Readonly<Partial<Record<KeptSignal, () => boolean>>>;
}

/** Resolves at the first signal that stops. */
export function watchSignals({ again, kept, acts = {} }: SignalListener): Promise<StopSignal> {
  for (const [signal, use] of Object.entries(KEPT) as [KeptSignal, string][]) {
    process.on(signal, () => {
      if (acts[signal]?.() !== true) kept(signal, use);
    });
  }
  return new Promise((resolve) => {
    let isStopping = false;
    const stop = (signal: StopSignal): void => {
      if (isStopping) again(signal);
      isStopping = true;
      resolve(signal);
    };
    for (const signal of STOPS) process.on(signal, () => stop(signal));
  });
}

/** Notes whether a SIGHUP comes, until somebody asks: then somebody else is to listen. */
export function noteHangup(): () => boolean {
  let hasCome = false;
  const note = (): void => {
    hasCome = true;
  };
  process.on("SIGHUP", note);
  return () => {
    process.off("SIGHUP", note);
    return hasCome;
  };
}

/** The status that shells give to a process ended by a signal: 130 for SIGINT, 143 for SIGTERM. */
export function signalStatus(signal: StopSignal): number {
  return 128 + constants.signals[signal];
}
