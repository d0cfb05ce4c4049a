import { NoAnswer, type Admin } from "../admin-request.ts";
import { systemClock } from "../../net/system-clock.ts";
import type { Output } from "../output.ts";
import { Waiting } from "../waiting.ts";
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
  const over = new End(ended);
  const waiting = new Waiting(output, systemClock);
  let before: { readonly status: Status; readonly at: number } | undefined;
  for (;;) {
    try {
      waiting.begin("status", `asking ${admin.place.name}`);
      const value = await fetchStatus(admin).finally(() => waiting.end("status"));
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
    if (everyMs === undefined || over.isReached) return true;
    await over.orAfter(everyMs);
    if (over.isReached) return true;
  }
}

/** The end, which is waited for with the process kept alive: a signal that somebody listens for does not do that. */
class End {
  isReached = false;
  #reached: () => void = () => undefined;

  constructor(ended: Promise<unknown>) {
    void ended.then(() => {
      this.isReached = true;
      this.#reached();
    });
  }

  orAfter(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#reached = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
