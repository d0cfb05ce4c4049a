import { systemClock } from "../../net/system-clock.ts";
import { tidHex } from "../../wire/ids.ts";
import type { TlsClient } from "../dial.ts";
import { counted, type Output } from "../output.ts";
import { TargetTransport } from "../target-transport.ts";
import { formatTarget, type Target } from "../target.ts";
import { Waiting } from "../waiting.ts";
import { Approach } from "./approach.ts";
import { Comparison, type Side } from "./comparison.ts";
import { comparedFields, comparedText, compareHead } from "./compare-lines.ts";
import { passes } from "./filter.ts";
import { Follower, type FollowerTold } from "./follower.ts";
import { downText, SPEAKS_NO_TLS, unableText } from "./reasons.ts";
import { Totals } from "./totals.ts";
import type { WatchOptions } from "./watch.ts";

export interface CompareOptions extends WatchOptions {
  readonly proxy: Target;
  readonly server: Target;
  /** How TLS is spoken with either; undefined: not at all. */
  readonly proxyTls?: TlsClient | undefined;
  readonly serverTls?: TlsClient | undefined;
}

/** How it ended; `incomplete`: the first of the two has left something out. */
export type HowCompared = "done" | "failed" | "incomplete";

/** Writes every transaction with what either side told of it, until `ended` or the wanted count. */
export function compare(options: CompareOptions, output: Output, ended: Promise<unknown>): Promise<HowCompared> {
  const { proxy, server, storage, filter, json, oids, count = Number.POSITIVE_INFINITY, wait } = options;
  const names = [formatTarget(proxy), formatTarget(server)] as const;
  const labels = ["proxy", "server"] as const;
  const tls = [options.proxyTls, options.serverTls] as const;
  const totals = [new Totals(), new Totals()] as const;
  const waiting = new Waiting(output, systemClock);
  return new Promise((resolve) => {
    let isOver = false;
    let shown = 0;
    let isBegun = false;
    const isConnected: [boolean, boolean] = [false, false];
    const reasons: [string | undefined, string | undefined] = [undefined, undefined];
    const say = (fields: object, line: string): void => {
      if (json) output.print(`${JSON.stringify(fields)}\n`);
      else output.note(`zeo-proxy: ${line}`);
    };
    const end = (how: HowCompared): void => {
      if (isOver) return;
      isOver = true;
      for (const follower of followers) follower.stop();
      waiting.stop();
      if (how === "done") {
        const [first, second] = totals;
        const text = ([0, 1] as const).map((side) => `${names[side]} ${totalsText(totals[side])}`).join("; ");
        // Who is away is told of less: what was seen by either.
        const most = first.seen > second.seen ? first : second;
        const all = most.seen === most.transactions ? "" : `${most.shownText}: `;
        say({ event: "end", proxy: first.fields(), server: second.fields() }, `${all}${text}`);
      }
      resolve(how === "done" && !totals[0].isComplete ? "incomplete" : how);
    };
    const comparison = new Comparison((compared) => {
      if (isOver) return;
      const isShown = compared.sides.some((heard) => heard !== undefined && passes(filter, heard));
      for (const side of [0, 1] as const) {
        const heard = compared.sides[side];
        if (heard !== undefined) totals[side].add(heard, isShown);
      }
      if (!isShown) return;
      output.print(json ? `${JSON.stringify(comparedFields(compared))}\n` : comparedText(compared, oids, output));
      shown++;
      if (shown >= count) end("done");
    });
    const told = (side: Side): FollowerTold => {
      const isTls = tls[side] !== undefined;
      const approach = new Approach(names[side], storage, isTls);
      const away = (code: string, line: string, isFatal: boolean): void => {
        waiting.end(labels[side]);
        comparison.down(side);
        if (isFatal) {
          say({ event: "failed", side: labels[side], reason: code }, `${names[side]}: ${line}`);
          end("failed");
        } else if (code !== reasons[side]) {
          reasons[side] = code;
          say({ event: "down", side: labels[side], reason: code }, `${names[side]}: ${line}; trying again`);
        }
      };
      return {
        phase: (phase) => waiting.begin(labels[side], approach.at(phase)),
        up: (last, { name: protocol }) => {
          waiting.end(labels[side]);
          isConnected[side] = true;
          reasons[side] = undefined;
          comparison.up(side, last);
          const fields = { event: "up", side: labels[side], address: names[side], protocol, last: tidHex(last) };
          say(fields, `connected to ${names[side]} (${protocol}), last transaction ${tidHex(last)}`);
          if (isBegun || !isConnected[0] || !isConnected[1]) return;
          isBegun = true;
          if (!json) output.print(compareHead(names));
        },
        transaction: (transaction) => comparison.add(side, transaction),
        caughtUp: () => undefined,
        down: (code) => {
          const isPlain = code === SPEAKS_NO_TLS && tls.every((one) => one !== undefined);
          const hint = isPlain ? " (--tls-of says which of the two does)" : "";
          away(
            code,
            `${downText(code, { perhaps: approach.perhaps, isCaNamed: tls[side]?.ca !== undefined })}${hint}`,
            !isConnected[side] && !wait,
          );
        },
        unable: (code) => away(code, unableText(code, storage, isTls), !isConnected[side]),
        unread: (code) =>
          say(
            { event: "unread", side: labels[side], reason: code },
            `${names[side]}: can't be read (${downText(code)})`,
          ),
        setBack: (last) => {
          comparison.setBack(last);
          const line = `${names[side]}: its last transaction, ${tidHex(last)}, is older than one that was seen`;
          say({ event: "set-back", side: labels[side], last: tidHex(last) }, line);
        },
      };
    };
    const { pollMs, timeoutMs } = options;
    const follower = (side: Side, target: Target): Follower =>
      new Follower({
        transport: new TargetTransport(target, tls[side]),
        clock: systemClock,
        storage,
        pollMs,
        timeoutMs,
        told: told(side),
      });
    const followers = [follower(0, proxy), follower(1, server)];
    void ended.then(() => end("done"));
  });
}

function totalsText(totals: Totals): string {
  const told = `${totals.told.toLocaleString("en")} of ${counted(totals.followed, "transaction")}`;
  return `told of ${told} and named ${totals.named.toLocaleString("en")} of ${counted(totals.followedObjects, "object")}`;
}
