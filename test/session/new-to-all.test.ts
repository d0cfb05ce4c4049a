import { describe, expect, it } from "vitest";
import type { RangeRead, StorageWitness, WitnessTold } from "../../src/storage/witness.ts";
import type { Tid } from "../../src/wire/ids.ts";
import { PyTuple } from "../../src/wire/value.ts";
import { packed } from "../ledger/script.ts";
import { eight, tidOf, type Speech } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

const MIB = 1024 * 1024;
const FAR = 0x7fff_ffff_ffff_ffffn;

/** A storage with a witness that the test plays. Its last transaction is 1000. */
class Seen {
  readonly stage: Stage;
  readonly pair: Pair;
  #told: WitnessTold | undefined;
  #named: ((last: Tid) => void) | undefined;
  #done: ((read: RangeRead) => void) | undefined;

  constructor(protocol: string) {
    const source = (told: WitnessTold): StorageWitness => {
      this.#told = told;
      return {
        progress: 0,
        ask: (named) => void (this.#named = named),
        read: (_, __, done) => void (this.#done = done),
        retry: () => undefined,
        stop: () => undefined,
      };
    };
    this.stage = new Stage(protocol, { witness: { of: () => source, settings: { pollMs: 1e9, holdMs: 2000 } } });
    const { speech } = this.stage;
    const pair = this.stage.shaken();
    pair.client.reads(speech.call(1, "register", "1", false));
    this.told.up(tidOf(1000));
    pair.server.reads(speech.welcome(1, 1000));
    pair.client.reads(speech.call(2, "lastTransaction"));
    pair.server.reads(speech.reply(2, eight(1000)));
    this.names(1000);
    forget(pair);
    this.pair = pair;
  }

  get speech(): Speech {
    return this.stage.speech;
  }

  get told(): WitnessTold {
    if (this.#told === undefined) throw new Error("nobody has registered");
    return this.#told;
  }

  get isAsked(): boolean {
    return this.#named !== undefined;
  }

  /** The witness is answered, if it has asked. */
  names(last: number): void {
    const named = this.#named;
    this.#named = undefined;
    named?.(tidOf(last));
  }

  finds(tid: number, ...oids: number[]): void {
    const done = this.#done;
    this.#done = undefined;
    done?.({ kind: "read", found: [{ tid: tidOf(tid), oids: packed(oids) }] });
  }

  /** A client loads object 7, and the server answers that it is of `serial`. */
  load(serial: number, { method = "loadBefore", bytes = 10, before = FAR, end = 0 } = {}): Buffer {
    const { speech, pair } = this;
    // ZEO 5 numbers a load by what it asks for.
    const tid = Buffer.alloc(8);
    tid.writeBigUInt64BE(before);
    const id = method === "loadBefore" && !speech.isOld ? new PyTuple([eight(7), tid]) : 50;
    pair.client.reads(speech.call(id, method, eight(7), tid));
    const ends = method === "loadBefore" ? [end === 0 ? null : eight(end)] : [];
    return speech.reply(id, new PyTuple([Buffer.alloc(bytes, 1), eight(serial), ...ends]));
  }

  leave(): void {
    for (const storage of this.stage.storages.all()) storage.stop();
    this.stage.leave();
  }

  get said(): string[] {
    return this.stage.said(this.pair).map((said) => said.replace(/^reply .*/s, "loaded"));
  }
}

const PROTOCOLS = ["Z308", "Z4", "Z5", "M5"] as const;
const OLD = ["Z308", "Z4"] as const;

describe.each(PROTOCOLS)("a load that shows a commit of which nothing is known, %s", (protocol) => {
  const methods = (OLD as readonly string[]).includes(protocol) ? ["load", "loadEx", "loadBefore"] : ["loadBefore"];

  it.each(methods)("waits until that was read, and comes behind it: %s", (method) => {
    const seen = new Seen(protocol);
    seen.pair.server.reads(seen.load(2000, { method }));
    expect([seen.said, seen.isAsked]).toEqual([[], true]);
    seen.names(2000);
    seen.finds(2000, 7, 8);
    if (!seen.speech.isOld) seen.pair.server.reads(seen.speech.invalidation(2000, 7));
    expect(seen.said).toEqual(["T2000 [7 8]", "loaded"]);
    seen.leave();
  });

  it("waits, too, where it comes in parts, or behind others", () => {
    for (const cut of [1, 12, 40]) {
      const seen = new Seen(protocol);
      const reply = seen.load(2000);
      seen.pair.server.reads(Buffer.concat([seen.speech.invalidation(900), reply.subarray(0, cut)]));
      seen.pair.server.reads(reply.subarray(cut));
      expect([seen.said.filter((said) => said === "loaded"), seen.isAsked]).toEqual([[], true]);
      seen.leave();
    }
  });

  it("goes on where a look that began behind it has named an older one: where history was copied that can be so", () => {
    const seen = new Seen(protocol);
    seen.pair.server.reads(seen.load(2000));
    expect(seen.said).toEqual([]);
    seen.names(1000);
    expect(seen.said).toEqual(["loaded"]);
    seen.leave();
  });

  it("is not shown where nobody answers: its client verifies", () => {
    const seen = new Seen(protocol);
    seen.pair.server.reads(seen.load(2000));
    for (let ms = 0; ms < 3000; ms += 250) seen.stage.clock.move(250);
    expect([seen.said, seen.stage.endings(seen.pair)]).toEqual([[], ["unread-commit by server"]]);
    seen.leave();
  });

  it("does not wait where there is no witness", () => {
    const seen = new Seen(protocol);
    seen.told.unable("no-iteration");
    seen.pair.server.reads(seen.load(2000));
    expect(seen.said).toEqual(["loaded"]);
    seen.leave();
  });

  it("does not wait where it is too large to be held", () => {
    const seen = new Seen(protocol);
    seen.pair.server.reads(seen.load(2000, { bytes: 2 * MIB }));
    expect([seen.said, seen.isAsked]).toEqual([["loaded"], false]);
    seen.leave();
  });
});

describe.each(PROTOCOLS)("a load that shows what is known, %s", (protocol) => {
  it("passes as it comes, whole or in parts, with what is like a tid in its data", () => {
    const seen = new Seen(protocol);
    const reply = seen.load(1000);
    seen.pair.server.reads(reply);
    expect(seen.pair.client.taken()).toEqual(reply);
    const again = seen.load(999, { bytes: 5000 });
    seen.pair.server.reads(again.subarray(0, 4000));
    seen.pair.server.reads(again.subarray(4000));
    expect([seen.pair.client.taken(), seen.isAsked]).toEqual([again, false]);
    seen.leave();
  });
});

describe.each(["Z5", "M5"])("a load that asks for what was known, %s", (protocol) => {
  it("is not looked at: its serial lies below that, and when it ended spoils nothing", () => {
    const seen = new Seen(protocol);
    const reply = seen.load(900, { before: 1001n, end: 2000, bytes: 5000 });
    seen.pair.server.reads(reply.subarray(0, 100));
    expect(seen.pair.client.taken()).toEqual(reply.subarray(0, 100));
    seen.pair.server.reads(reply.subarray(100));
    expect([seen.pair.client.taken(), seen.isAsked]).toEqual([reply.subarray(100), false]);
    seen.leave();
  });

  it("is looked at where it asks for the next one, too", () => {
    const seen = new Seen(protocol);
    seen.pair.server.reads(seen.load(1001, { before: 1002n }));
    expect([seen.said, seen.isAsked]).toEqual([[], true]);
    seen.leave();
  });
});
