import { describe, expect, it } from "vitest";
import { PyTuple } from "../../src/wire/value.ts";
import { numbers } from "../ledger/script.ts";
import { eight, type Speech } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

// Many messages in one chunk, most of which nobody looks at closely, are noted like those that come one by one.

const PROTOCOLS = ["Z308", "Z4", "Z5", "M5"];
const CALLS = Array.from({ length: 40 }, (_, n) => 100 + n);

/** A client that has verified its cache: nothing of it is asked for any more. */
function working(stage: Stage): Pair {
  const pair = stage.registered();
  pair.client.reads(stage.speech.call(2, "ping"), stage.speech.call(3, "ping"));
  pair.server.reads(stage.speech.reply(2, null), stage.speech.reply(3, null));
  forget(pair);
  return pair;
}

function load(speech: Speech, id: number, oid = id): Buffer {
  // ZEO 5 numbers a load by what it asks for.
  const key = speech.isOld ? id : new PyTuple([eight(oid), eight(900)]);
  return speech.call(key, "loadBefore", eight(oid), eight(900));
}

function loaded(speech: Speech, id: number, serial: number, oid = id): Buffer {
  const key = speech.isOld ? id : new PyTuple([eight(oid), eight(900)]);
  return speech.reply(key, new PyTuple([Buffer.from("data"), eight(serial), null]));
}

describe.each(PROTOCOLS)("many messages of %s in one chunk", (protocol) => {
  it("are answered by as many replies in one chunk, in any order", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = working(stage);
    const said = Buffer.concat(CALLS.map((id) => load(speech, id)));
    pair.client.reads(said);
    expect(pair.session.openCalls).toBe(CALLS.length);
    expect(pair.server.taken()).toEqual(said);
    const replies = Buffer.concat(CALLS.toReversed().map((id) => loaded(speech, id, 5)));
    pair.server.reads(replies);
    expect(pair.session.openCalls).toBe(0);
    expect(pair.client.taken()).toEqual(replies);
    stage.leave();
  });

  it("are known when their replies come, though something is due by then: what shows it waits", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const [pair, other] = [working(stage), working(stage)];
    pair.client.reads(Buffer.concat([...CALLS.map((id) => load(speech, id)), speech.call(50, "ping")]));
    other.client.reads(speech.creation(9, 7));
    forget(pair);
    // The storage has committed, and the reply to the `tpc_finish` is not there yet. An old server says nothing of it.
    const told = speech.isOld ? [] : [speech.invalidation(2_000)];
    const shown = [loaded(speech, 100, 5), loaded(speech, 101, 2_000)];
    pair.server.reads(Buffer.concat([speech.reply(50, null), ...told, ...shown]));
    expect(stage.said(pair)).toEqual(["reply 50"]);
    other.server.reads(speech.reply(9, eight(2_000)));
    const left = stage.said(pair);
    expect(left.at(-1)).toMatch(/^reply /);
    expect(left).toContain("T2000 [7]");
    expect(pair.session.openCalls).toBe(CALLS.length - 2);
    stage.leave();
  });

  it("are noted as stores of the transactions that each of them names", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = working(stage);
    const stores: Buffer[] = [];
    for (const oid of CALLS) {
      stores.push(speech.store(oid % 3 === 0 ? 8 : 9, oid, oid % 2), load(speech, oid));
    }
    pair.client.reads(Buffer.concat([speech.begin(8), speech.begin(9), ...stores]));
    const [eighth, ninth] = stage.storage.ledger.state.accounts.get(1)?.transactions ?? [];
    const built = ({ bytes, length }: { bytes: Buffer; length: number }): number[] =>
      numbers(bytes.subarray(0, length));
    expect([eighth?.id, ninth?.id]).toEqual([8, 9]);
    for (const [transaction, isOwn] of [
      [eighth, (oid: number) => oid % 3 === 0],
      [ninth, (oid: number) => oid % 3 !== 0],
    ] as const) {
      if (transaction === undefined) throw new Error("no transaction");
      expect(built(transaction.created)).toEqual(CALLS.filter((oid) => isOwn(oid) && oid % 2 === 0));
      expect(built(transaction.modified)).toEqual(CALLS.filter((oid) => isOwn(oid) && oid % 2 === 1));
    }
    expect(pair.session.openCalls).toBe(CALLS.length);
    stage.leave();
  });

  it("are looked at closely while a call waits whose reply the ledger reads", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = working(stage);
    pair.client.reads(Buffer.concat([speech.call(60, "lastTransaction"), ...CALLS.map((id) => load(speech, id))]));
    expect(pair.session.openCalls).toBe(CALLS.length + 1);
    pair.client.reads(speech.call(60, "ping"));
    expect(stage.endings(pair)).toEqual(["id-in-use by client"]);
    stage.leave();
  });
});
