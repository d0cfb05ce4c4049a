import { systemClock } from "../../net/system-clock.ts";
import type { Tid } from "../../wire/ids.ts";
import { tidHex, tidTimeMs } from "../../wire/ids.ts";
import { tidTime } from "../../report/tid-time.ts";
import type { TlsClient } from "../dial.ts";
import { counted, type Output } from "../output.ts";
import { Progress } from "../progress.ts";
import { TargetTransport } from "../target-transport.ts";
import { formatTarget, type Target } from "../target.ts";
import { Waiting } from "../waiting.ts";
import { Approach } from "./approach.ts";
import { passes, type Filter } from "./filter.ts";
import { Follower, type FollowerTold } from "./follower.ts";
import { transactionFields, transactionText } from "./lines.ts";
import { downText, unableText } from "./reasons.ts";
import { Totals } from "./totals.ts";

/** What all ways to watch have in common. */
export interface WatchOptions {
  readonly storage: string;
  readonly filter: Filter;
  readonly oids: boolean;
  readonly json: boolean;
  /** End after so many transactions. */
  readonly count?: number;
  /** A server that is not there at first is waited for. */
  readonly wait: boolean;
  readonly pollMs: number;
  readonly timeoutMs: number;
}

export interface WatchOneOptions extends WatchOptions {
  readonly target: Target;
  readonly tls?: TlsClient;
  readonly since?: Tid;
  /** False: end when all is read that was there at the beginning. */
  readonly follow: boolean;
}

/** How it ended. */
export type Watched = "done" | "failed";

/**
 * Writes every transaction as it happens, until `ended`, the wanted count, or, without `follow`, the last one.
 * @returns `failed` where it can't be followed at all
 */
export function watch(options: WatchOneOptions, output: Output, ended: Promise<unknown>): Promise<Watched> {
  const { target, tls, since, storage, filter, json, oids, count = Number.POSITIVE_INFINITY, wait, follow } = options;
  const name = formatTarget(target);
  const progress = new Progress(output, systemClock);
  const waiting = new Waiting(output, systemClock);
  const totals = new Totals();
  return new Promise((resolve) => {
    let isConnected = false;
    let isOver = false;
    const approach = new Approach(name, storage, tls !== undefined);
    let last: Tid | undefined;
    let unread: string | undefined;
    let reason: string | undefined;
    const say = (fields: object, line: string): void => {
      progress.clear();
      if (json) output.print(`${JSON.stringify(fields)}\n`);
      else output.note(line);
    };
    const end = (how: Watched): void => {
      if (isOver) return;
      isOver = true;
      follower.stop();
      waiting.stop();
      progress.clear();
      if (how === "done") say({ event: "end", ...totals.fields() }, `zeo-proxy: ${totalsText(totals)}`);
      resolve(how);
    };
    const fail = (code: string, line: string): void => {
      say({ event: "failed", reason: code }, `zeo-proxy: ${name}: ${line}`);
      end("failed");
    };
    /** It tries again and again: each reason is told once. */
    const isDown = (code: string, line: string): void => {
      if (code === reason) return;
      reason = code;
      say({ event: "down", reason: code }, `zeo-proxy: ${name}: ${line}; trying again`);
    };
    const told: FollowerTold = {
      phase: (phase) => waiting.begin(name, approach.at(phase)),
      up: (newest, { name: protocol }) => {
        waiting.stop();
        isConnected = true;
        reason = undefined;
        last = newest;
        const line = `zeo-proxy: connected to ${name} (${protocol}), storage ${JSON.stringify(storage)}, last transaction ${tidHex(newest)}`;
        say({ event: "up", address: name, protocol, storage, last: tidHex(newest) }, line);
      },
      transaction: (transaction) => {
        unread = undefined;
        const isShown = passes(filter, transaction);
        totals.add(transaction, isShown);
        if (isShown) {
          progress.clear();
          const text = json
            ? `${JSON.stringify(transactionFields(transaction))}\n`
            : transactionText(transaction, oids, output);
          output.print(text);
        }
        if (totals.transactions >= count) end("done");
        else if (transaction.source === "read") {
          progress.update(() => `reading: ${progressText(totals.seen, transaction.tid, since, last)}`);
        }
      },
      caughtUp: (newest) => {
        progress.clear();
        if (json) say({ event: "caught-up", last: tidHex(newest) }, "");
        if (!follow) end("done");
      },
      down: (code) => {
        waiting.stop();
        const text = downText(code, { perhaps: approach.perhaps, isCaNamed: tls?.ca !== undefined });
        if (!isConnected && !wait) fail(code, text);
        else isDown(code, text);
      },
      // What can't be now may be soon: a server that starts has not opened its storages yet, say.
      unable: (code) => {
        waiting.stop();
        const text = unableText(code, storage, tls !== undefined);
        if (isConnected) isDown(code, text);
        else fail(code, text);
      },
      unread: (code) => {
        if (code === unread) return;
        unread = code;
        say({ event: "unread", reason: code }, `zeo-proxy: ${name}: can't be read (${downText(code)}); trying again`);
      },
      setBack: (newest) =>
        say(
          { event: "set-back", last: tidHex(newest) },
          `zeo-proxy: ${name}: its last transaction, ${tidHex(newest)}, is older than one that was seen: another database, or a backup`,
        ),
    };
    const { pollMs, timeoutMs } = options;
    const follower = new Follower({
      transport: new TargetTransport(target, tls),
      clock: systemClock,
      storage,
      pollMs,
      timeoutMs,
      told,
      ...(since === undefined ? {} : { since }),
    });
    void ended.then(() => end("done"));
  });
}

function totalsText(totals: Totals): string {
  const all = `${totals.shownText}, ${counted(totals.objects, "object")}`;
  if (totals.followed === 0) return all;
  const told = `${totals.told.toLocaleString("en")} of ${counted(totals.followed, "transaction")}`;
  const named = `${totals.named.toLocaleString("en")} of ${counted(totals.followedObjects, "object")}`;
  return `${all}; while it looked on the server told of ${told} and named ${named}`;
}

function progressText(count: number, tid: Tid, since: Tid | undefined, last: Tid | undefined): string {
  const text = `${counted(count, "transaction")}, up to ${tidTime(tid)}`;
  const [from, at, to] = [since, tid, last].map((one) => (one === undefined ? Number.NaN : tidTimeMs(one)));
  const part = ((at ?? 0) - (from ?? 0)) / ((to ?? 0) - (from ?? 0));
  return since !== undefined && since > 0n && part >= 0 && part <= 1 ? `${text} (${Math.floor(part * 100)} %)` : text;
}
