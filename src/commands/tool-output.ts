import type { Output } from "../tools/output.ts";
import { print, printError } from "./output.ts";

/** Back to the line's beginning, and all of it away. */
const CLEAR = "\r\u001b[K";

/** The process's own. */
export function toolOutput(): Output {
  const { stdout, stderr } = process;
  const isPlain = process.env["NO_COLOR"] !== undefined && process.env["NO_COLOR"] !== "";
  let isShown = false;
  const clear = (): void => {
    if (isShown) printError(CLEAR);
    isShown = false;
  };
  return {
    print: (text) => {
      clear();
      print(text);
    },
    note: (line) => {
      clear();
      printError(`${line}\n`);
    },
    progress: (line) => {
      if (!stderr.isTTY) return;
      clear();
      if (line === "") return;
      isShown = true;
      printError(line.slice(0, Math.max(20, (stderr.columns ?? 80) - 1)));
    },
    hasColours: stdout.isTTY && !isPlain && process.env["TERM"] !== "dumb",
    columns: stdout.isTTY ? stdout.columns : undefined,
  };
}
