import { codeOf } from "../net/system-error.ts";
import { EXIT } from "./exit-status.ts";

/** Those of the two streams for whose errors somebody listens: else the first one ends the process. */
const heard = new Set<NodeJS.WriteStream>();

/**
 * Writes to standard output. What a full disk does not take is status 1; a reader that goes away (`| head`) wants no more,
 * which ends the output and not the command.
 */
export function print(text: string): void {
  listen(process.stdout, (code) => {
    if (code === "EPIPE") return;
    complain(`can't write: ${code}`);
    process.exitCode = EXIT.failed;
  });
  process.stdout.write(text);
}

/** One clear line on standard error, whatever the text. */
export function complain(text: string): void {
  printError(`zeo-proxy: ${text.replaceAll(/\s*\n\s*/g, "; ")}\n`);
}

/** Writes to standard error. Where that can't be written to there is nobody left to tell. */
export function printError(text: string): void {
  listen(process.stderr, () => undefined);
  process.stderr.write(text);
}

function listen(stream: NodeJS.WriteStream, failed: (code: string) => void): void {
  if (heard.has(stream)) return;
  heard.add(stream);
  stream.once("error", (error) => failed(codeOf(error)));
  stream.on("error", () => undefined);
}
