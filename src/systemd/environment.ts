/** What systemd wants of the service that this process is. */
export interface Wanted {
  /** Where it listens: a path, or `@` and a name. */
  readonly socket: string;
  /** After so long without a word it takes the service for stuck; undefined where nobody waits for one. */
  readonly watchdogMs: number | undefined;
}

/**
 * Reads it from the environment, as sd_notify(3) and sd_watchdog_enabled(3) of systemd 252 do.
 * @returns undefined where no service manager listens
 */
export function wantedIn(env: Readonly<Record<string, string | undefined>>, pid: number): Wanted | undefined {
  const socket = env["NOTIFY_SOCKET"];
  if (socket === undefined || socket === "") return undefined;
  return { socket, watchdogMs: watchdogIn(env, pid) };
}

/** `WATCHDOG_PID` says whose it is: a child of a service may have inherited it. */
function watchdogIn(env: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  const { WATCHDOG_USEC: micros = "", WATCHDOG_PID: whose = "" } = env;
  if (!/^\d+$/.test(micros) || (whose !== "" && whose !== String(pid))) return undefined;
  const watchdogMs = Number(micros) / 1000;
  return watchdogMs > 0 ? watchdogMs : undefined;
}
