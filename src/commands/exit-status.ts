import { constants } from "node:os";

/** What the command's exit status means. */
export const EXIT = {
  ok: 0,
  /** A port in use, a name that can't be resolved, an error of our own. */
  failed: 1,
  /** A wrong configuration or command line; nothing was started. */
  usage: 2,
} as const;

/** The status that shells give to a process ended by a signal: 130 for SIGINT, 143 for SIGTERM. */
export function signalStatus(signal: "SIGINT" | "SIGTERM"): number {
  return 128 + constants.signals[signal];
}

/** One clear line on standard error, whatever the text. */
export function complain(text: string): void {
  process.stderr.write(`zeo-proxy: ${text.replaceAll(/\s*\n\s*/g, "; ")}\n`);
}
