import { describe, expect, it } from "vitest";
import type { Value } from "../../src/wire/value.ts";
import { numbers } from "../ledger/script.ts";
import { eight, type Speech } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

const PROTOCOLS = ["Z308", "Z4", "Z5", "M5"];
const DATA = Buffer.alloc(20, 0x2e);
/** As data is mostly: it needs a long length. */
const LONGER = Buffer.alloc(300, 0x2e);

/** A store whose version, where the protocol has them, and transaction follow the data. */
function storing(speech: Speech, method: string, oid: number, serial: Value, id: Value, data = DATA): Buffer {
  const version = speech.protocol.versions && method === "storea" ? [""] : [];
  const more: Value[] = method === "restorea" ? [null] : method === "storeBlobShared" ? ["a file"] : version;
  return speech.tell(method, eight(oid), serial, data, ...more, id);
}

/** A transaction with stores of every kind, each in a frame of its own. */
function transaction(speech: Speech, id: number): Buffer[] {
  const serial = eight(900);
  return [
    speech.begin(id),
    storing(speech, "storea", 1, eight(0), id),
    storing(speech, "storea", 2, serial, id, LONGER),
    storing(speech, "restorea", 3, serial, id),
    speech.tell("deleteObject", eight(4), serial, id),
    storing(speech, "storeBlobShared", 5, eight(0), id),
    // Another transaction's, with an id that is no small number.
    storing(speech, "storea", 6, eight(0), 2 ** 40),
    // No data at all.
    storing(speech, "storea", 7, null, id, Buffer.alloc(0)),
    speech.finish(id),
  ];
}

const CHANGES = { created: [1, 5, 7], restored: [3], deleted: [4], oids: [1, 2, 3, 4, 5, 7] };

/** A client, and another one that is still to be told of all its commits: until then all is known of them. */
function withObserver(stage: Stage): Pair {
  stage.registered();
  return stage.registered();
}

/** The newest commit. */
function changesOf(stage: Stage): unknown {
  const settled = stage.storage.ledger.state.history.at(-1);
  if (settled === undefined) return undefined;
  const { created, restored, deleted, oids } = settled.changes;
  return {
    tid: Number(settled.tid),
    created: numbers(created),
    restored: numbers(restored),
    deleted: numbers(deleted),
    oids: numbers(oids),
  };
}

describe("a client's transaction passes unchanged and is noted", () => {
  it.each(PROTOCOLS)("wherever it is cut in two: %s", (protocol) => {
    const { speech } = new Stage(protocol);
    const said = Buffer.concat(transaction(speech, 9));
    const stage = new Stage(protocol);
    const pair = withObserver(stage);
    for (let at = 1; at < said.length; at++) {
      pair.client.reads(said.subarray(0, at), said.subarray(at));
      expect(pair.server.taken().equals(said), `cut at ${at}`).toBe(true);
      pair.server.reads(speech.reply(9, eight(2000 + at)));
      expect(changesOf(stage), `cut at ${at}`).toEqual({ tid: 2000 + at, ...CHANGES });
    }
    stage.leave();
  });

  it.each(PROTOCOLS)("byte by byte: %s", (protocol) => {
    const stage = new Stage(protocol);
    const said = Buffer.concat(transaction(stage.speech, 9));
    const pair = withObserver(stage);
    pair.client.reads(...[...said].map((byte) => Buffer.of(byte)));
    expect(pair.server.taken().equals(said)).toBe(true);
    pair.server.reads(stage.speech.reply(9, eight(2000)));
    expect(changesOf(stage)).toEqual({ tid: 2000, ...CHANGES });
    stage.leave();
  });

  it("with data of many pieces, none of which is kept back", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = withObserver(stage);
    const large = storing(speech, "storea", 1, eight(0), 9, Buffer.alloc(1024 * 1024, 7));
    pair.client.reads(speech.begin(9));
    for (let at = 0; at < large.length; at += 65_536) {
      const piece = large.subarray(at, at + 65_536);
      pair.server.taken();
      pair.client.reads(piece);
      expect(pair.server.taken().equals(piece)).toBe(true);
    }
    pair.client.reads(speech.finish(9));
    pair.server.reads(speech.reply(9, eight(2000)));
    expect(changesOf(stage)).toMatchObject({ created: [1] });
    stage.leave();
  });
});

describe("what is not a store", () => {
  it.each([
    ["a heartbeat", (speech: Speech, data: Buffer) => speech.reply(-1, data)],
    ["a call that nobody knows", (speech: Speech, data: Buffer) => speech.call(20, "frobnicate", data)],
    ["a second register", (speech: Speech, data: Buffer) => speech.call(20, "register", data)],
  ] as const)("flows on, and nothing of it is kept, however large it is: %s", (_, frame) => {
    const stage = new Stage();
    const pair = stage.registered();
    const bytes = frame(stage.speech, Buffer.alloc(300_000));
    const before = stage.memory.bytes;
    pair.client.reads(bytes.subarray(0, 150_000));
    expect(pair.server.taken()).toHaveLength(150_000);
    expect(stage.memory.bytes - before).toBeLessThan(1000);
    pair.client.reads(bytes.subarray(150_000));
    expect(pair.server.taken()).toHaveLength(bytes.length - 150_000);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is counted while it waits for a reply, if it has one", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = stage.registered();
    pair.client.reads(speech.reply(-1, null), speech.tell("frobnicate"), speech.begin(9), speech.store(9, 1));
    expect(pair.session.openCalls).toBe(0);
    pair.client.reads(speech.call(20, "frobnicate"), speech.call(21, "tpc_abort", 9));
    expect(pair.session.openCalls).toBe(2);
    pair.server.reads(speech.reply(20, null), speech.reply(21, null));
    expect(pair.session.openCalls).toBe(0);
    stage.leave();
  });
});

it("a store of any size that comes in one piece is noted as well", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = withObserver(stage);
  const large = storing(speech, "storea", 1, eight(0), 9, Buffer.alloc(100_000, 7));
  pair.client.reads(Buffer.concat([speech.begin(9), large, speech.finish(9)]));
  pair.server.reads(speech.reply(9, eight(2000)));
  expect(changesOf(stage)).toMatchObject({ created: [1] });
  stage.leave();
});

it("a call that must be read whole is refused beyond 512 KiB, as what it is", () => {
  const stage = new Stage();
  const pair = stage.registered();
  pair.client.reads(stage.speech.tell("tpc_begin", 9, "x".repeat(600_000), "").subarray(0, 1000));
  expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
    end: { code: "message-too-long", expected: "at most 524288 bytes in a call that must be read whole" },
  });
  stage.leave();
});

describe("what the ledger must know", () => {
  it.each(["vote", "tpc_finish", "lastTransaction", "getInvalidations"])(
    "%s must be answered: as a one-way message it ends the session and goes nowhere",
    (method) => {
      const stage = new Stage();
      const pair = stage.registered();
      pair.client.reads(stage.speech.tell(method, eight(1)));
      expect(pair.server.taken()).toHaveLength(0);
      expect(stage.endings(pair)).toEqual(["one-way-call by client"]);
      stage.leave();
    },
  );

  it("is not a heartbeat, nor a method that nobody knows, which passes in parts", () => {
    const stage = new Stage();
    const pair = stage.registered();
    const heartbeat = stage.speech.reply(-1, null);
    pair.client.reads(heartbeat);
    expect(pair.server.taken()).toEqual(heartbeat);
    const frame = stage.speech.tell("someNewMethod", LONGER);
    for (const piece of [frame.subarray(0, 40), frame.subarray(40)]) {
      pair.client.reads(piece);
      expect(pair.server.taken()).toEqual(piece);
    }
    stage.leave();
  });

  it("is an undo: its set is the server's to tell", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [stage.registered(), stage.registered()];
    pair.client.reads(speech.begin(9), speech.tell("undoa", eight(900), 9), speech.finish(9));
    pair.server.reads(speech.reply(9, eight(2000)));
    expect(stage.storage.ledger.state.history).toMatchObject([{ complete: false, changes: { undoes: true } }]);
    other.server.reads(speech.invalidation(2000, 5));
    expect(stage.said(other)).toEqual(["T2000 [5]"]);
    stage.leave();
  });

  it("is an abort: nothing of it is committed", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = withObserver(stage);
    pair.client.reads(speech.begin(9), speech.store(9, 1), speech.call(20, "tpc_abort", 9));
    pair.client.reads(speech.creation(9, 2));
    pair.server.reads(speech.reply(9, eight(2000)));
    expect(changesOf(stage)).toMatchObject({ created: [2] });
    stage.leave();
  });

  it("is a tid that tpc_begin names: one below what is known is copied history", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [stage.registered(), stage.registered()];
    pair.client.reads(speech.begin(9, 500), speech.store(9, 1), speech.finish(9));
    pair.server.reads(speech.reply(9, eight(500)));
    const told = stage.happenings.filter(({ what }) => what === "copied-history");
    expect(told).toMatchObject([{ tid: 500n, known: 1000n }]);
    expect(stage.endings(other)).toEqual([]);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is a vote: an old server's that is granted is held until earlier commits are over", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, pair] = [stage.finishing(), stage.registered()];
    pair.client.reads(speech.begin(9), speech.call(30, "vote", 9));
    forget(pair);
    pair.server.reads(speech.reply(30, null));
    expect(stage.said(pair)).toEqual([]);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "reply 30"]);
    stage.leave();
  });

  it("is not a second register: the server refuses it", () => {
    const stage = new Stage();
    const pair = stage.registered();
    const again = stage.speech.call(20, "register", "other", false);
    pair.client.reads(again);
    expect(pair.server.taken()).toEqual(again);
    expect([...stage.storages.all()].map(({ name }) => name)).toEqual(["1"]);
    stage.leave();
  });
});

describe("a client's store that can't be read", () => {
  it.each([
    [
      "with more than 64 KiB behind its data",
      (speech: Speech) => storing(speech, "storea", 1, eight(0), "x".repeat(70_000)),
      "bad-store",
    ],
    ["without arguments", (speech: Speech) => speech.tell("storea"), "bad-pickle"],
    [
      "with an oid of nine bytes",
      (speech: Speech) => speech.tell("storea", Buffer.alloc(9), eight(0), DATA, 9),
      "bad-pickle",
    ],
  ] as const)("%s ends the session", (_, frame, code) => {
    const stage = new Stage();
    const pair = stage.registered();
    const bytes = frame(stage.speech);
    for (let at = 0; at < bytes.length && pair.session.life === "registered"; at += 16_384) {
      pair.client.reads(bytes.subarray(at, at + 16_384));
    }
    expect(stage.endings(pair)).toEqual([`${code} by client`]);
    stage.leave();
  });
});
