import { NoAnswer, type Admin } from "../admin-request.ts";
import type { Output } from "../output.ts";
import { fetchStatus } from "./fetch.ts";
import { readStatus, type Status } from "./reading.ts";
import { statusText } from "./text.ts";

export interface StatusOptions {
  readonly admin: Admin;
  readonly json: boolean;
  /** Show it again so often, in ms; undefined: once. */
  readonly everyMs: number | undefined;
}

/** The whole screen, from its first character on. */
const ANEW = "\u001b[H\u001b[2J\u001b[3J";

/**
 * Shows a running proxy's status, once, or again and again until `ended`; then a proxy that is gone is waited for.
 * @returns false where it could not be had; not with `everyMs`, once it could
 */
export async function showStatus(options: StatusOptions, output: Output, ended: Promise<unknown>): Promise<boolean> {
  const { admin, json, everyMs } = options;
  let isOver = false;
  const over = ended.then(() => {
    isOver = true;
  });
  let before: { readonly status: Status; readonly at: number } | undefined;
  for (;;) {
    try {
      const value = await fetchStatus(admin);
      const status = readStatus(value);
      if (status === undefined) throw new NoAnswer(`${admin.place.name}: the answer is no status: no zeo-proxy?`);
      const at = performance.now();
      const earlier = before === undefined ? undefined : { status: before.status, seconds: (at - before.at) / 1_000 };
      const text = json ? `${JSON.stringify(value)}\n` : statusText(status, output, earlier);
      output.print(everyMs !== undefined && !json && output.columns !== undefined ? `${ANEW}${text}` : text);
      before = { status, at };
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      output.note(`zeo-proxy: ${error.message}`);
      if (everyMs === undefined || before === undefined) return false;
    }
    if (everyMs === undefined || isOver) return true;
    await Promise.race([over, wait(everyMs)]);
    if (isOver) return true;
  }
}

/** Nobody need wait for it at the end. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
