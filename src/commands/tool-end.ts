import { signalStatus, watchSignals } from "./signals.ts";
import { complain } from "./output.ts";

/**
 * Resolves when a tool is to end: at a signal that stops, when its terminal is closed, and when nobody reads what it writes
 * any more (`| head`).
 */
export function whenEnded(): Promise<void> {
  return new Promise((resolve) => {
    const signalled = watchSignals({
      again: (signal) => process.exit(signalStatus(signal)),
      kept: (signal, use) => {
        if (signal === "SIGHUP") resolve();
        else complain(`a signal that does nothing: ${signal}, ${use}`);
      },
    });
    void signalled.then(() => resolve());
    process.stdout.on("error", () => resolve());
  });
}
