import { describe, expect, it } from "vitest";
import { readPickle } from "../../src/wire/pickle/reader.ts";
import { PyGlobal, PyObject, PyTuple, itemsOf, type Value } from "../../src/wire/value.ts";
import { eight } from "./speech.ts";
import { Stage, type Pair } from "./stage.ts";

const DATA = Buffer.from("data");
const NO_SUCH = new PyGlobal("ZODB.POSException", "POSKeyError");
const OTHER = new PyGlobal("builtins", "OSError");

/** As ZEO 5 numbers its loads. */
const readId = (oid: number, before = 9_000): Value => new PyTuple([eight(oid), eight(before)]);

/** An old server, and a client that has read something before. */
class Reading {
  readonly stage: Stage;
  readonly pair: Pair;

  constructor(protocol = "Z4") {
    this.stage = new Stage(protocol);
    this.pair = this.stage.registered();
  }

  reads(oid: number, before = 9_000): Buffer {
    const call = this.stage.speech.call(readId(oid, before), "loadBefore", eight(oid), eight(before));
    this.pair.client.reads(call);
    return call;
  }

  told(tid: number, ...oids: number[]): void {
    this.pair.server.reads(this.stage.speech.invalidation(tid, ...oids));
  }

  answers(oid: number, value: Value, before = 9_000): Buffer {
    const reply = this.stage.speech.reply(readId(oid, before), value);
    this.pair.server.reads(reply);
    return reply;
  }

  revision(oid: number, serial: number, end: number | null, data = DATA): Buffer {
    return this.answers(oid, new PyTuple([data, eight(serial), end === null ? null : eight(end)]));
  }

  raises(oid: number, what: PyGlobal): Buffer {
    return this.answers(oid, new PyTuple([what, new PyObject(what, new PyTuple([eight(oid)]))]));
  }

  /** The value of the last reply to the client. */
  get replied(): Value {
    const payload = this.pair.client.frames().at(-1) ?? Buffer.alloc(0);
    return itemsOf(readPickle(payload))?.[3] ?? null;
  }

  get repairs(): unknown[] {
    return this.stage.happenings.flatMap((one) =>
      one.what === "old-answer" ? [[one.repair, one.oid.at(-1), Number(one.tid)]] : [],
    );
  }
}

const revision = (serial: number, end: number | null): unknown =>
  new PyTuple([DATA, eight(serial), end === null ? null : eight(end)]);

describe("an answer that was computed before its client was told", () => {
  it("says until when it holds: up to the first that has changed it", () => {
    const scene = new Reading();
    scene.reads(1);
    scene.told(2000, 1, 2);
    scene.told(3000, 1);
    scene.revision(1, 1500, null);
    expect(scene.replied).toEqual(revision(1500, 2000));
    expect(scene.repairs).toEqual([["ended", 1, 2000]]);
  });

  it("passes as it is where nothing was told, or of others, or before the call", () => {
    const scene = new Reading();
    scene.told(1900, 1);
    scene.reads(1);
    scene.told(2000, 2);
    scene.pair.client.frames();
    const reply = scene.revision(1, 1500, null);
    expect(scene.pair.client.frames()).toEqual([reply.subarray(4)]);
    expect(scene.repairs).toEqual([]);
  });

  it("passes as it is where it is that very revision, or an older one with an end", () => {
    for (const [serial, end] of [
      [2000, null],
      [1000, 1500],
    ] as const) {
      const scene = new Reading();
      scene.reads(1);
      scene.told(2000, 1);
      scene.pair.client.frames();
      const reply = scene.revision(1, serial, end);
      expect(scene.pair.client.frames()).toEqual([reply.subarray(4)]);
    }
  });

  it("holds up to the first one above it, whatever else was told", () => {
    const scene = new Reading();
    scene.reads(1);
    for (const tid of [2000, 3000, 4000]) scene.told(tid, 1);
    scene.revision(1, 3000, null);
    expect(scene.replied).toEqual(revision(3000, 4000));
  });

  it("is that of its own call: two times of one object", () => {
    const scene = new Reading();
    scene.reads(1, 1200);
    scene.told(2000, 1);
    scene.reads(1);
    scene.answers(1, new PyTuple([DATA, eight(2000), null]));
    expect(scene.replied).toEqual(revision(2000, null));
    scene.answers(1, new PyTuple([DATA, eight(1100), null]), 1200);
    expect(scene.replied).toEqual(revision(1100, 2000));
  });

  it("is found among many", () => {
    const scene = new Reading();
    for (let oid = 1; oid <= 100; oid++) scene.reads(oid);
    scene.told(2000, 50, 70);
    const ends: number[] = [];
    for (let oid = 1; oid <= 100; oid++) {
      scene.revision(oid, 1500, null);
      if ((itemsOf(scene.replied) ?? [])[2] !== null) ends.push(oid);
    }
    expect(ends).toEqual([50, 70]);
  });

  it("is as large as it may be", () => {
    const scene = new Reading();
    const data = Buffer.alloc(2 * 1024 * 1024, 7);
    scene.reads(1);
    scene.told(2000, 1);
    scene.revision(1, 1500, null, data);
    const [kept, serial, end] = itemsOf(scene.replied) ?? [];
    expect([serial, end]).toEqual([eight(1500), eight(2000)]);
    expect(Buffer.isBuffer(kept) && kept.equals(data)).toBe(true);
  });

  it("comes in pieces, between others", () => {
    const scene = new Reading();
    const { server } = scene.pair;
    scene.reads(1);
    scene.told(2000, 1);
    const { speech } = scene.stage;
    const old = speech.reply(readId(1), new PyTuple([DATA, eight(1500), null]));
    const all = Buffer.concat([speech.invalidation(3000, 5), old, speech.invalidation(4000, 6)]);
    scene.pair.client.frames();
    for (const byte of all) server.reads(Buffer.from([byte]));
    const frames = scene.pair.client.frames();
    expect(frames).toHaveLength(3);
    expect(itemsOf(readPickle(frames[1] ?? Buffer.alloc(0)))?.[3]).toEqual(revision(1500, 2000));
  });
});

describe("an object that was created meanwhile", () => {
  it.each([
    ["POSKeyError", (scene: Reading) => scene.raises(1, NO_SUCH)],
    ["None", (scene: Reading) => scene.answers(1, null)],
  ])("is asked for once more where the answer is %s", (_name, answers) => {
    const scene = new Reading();
    const call = scene.reads(1);
    scene.told(2000, 1);
    scene.pair.client.frames();
    scene.pair.server.frames();
    answers(scene);
    expect(scene.pair.client.frames()).toEqual([]);
    expect(scene.pair.server.frames()).toEqual([call.subarray(4)]);
    scene.revision(1, 2000, null);
    expect(scene.replied).toEqual(revision(2000, null));
    expect(scene.repairs).toEqual([["asked again", 1, 2000]]);
  });

  it("is not asked for without end: what comes next is passed on", () => {
    const scene = new Reading();
    scene.reads(1);
    scene.told(2000, 1);
    scene.raises(1, NO_SUCH);
    const reply = scene.raises(1, NO_SUCH);
    expect(scene.pair.client.frames().at(-1)).toEqual(reply.subarray(4));
  });

  it("is not asked for where it was no other exception", () => {
    const scene = new Reading();
    scene.reads(1);
    scene.told(2000, 1);
    const reply = scene.raises(1, OTHER);
    expect(scene.pair.client.frames().at(-1)).toEqual(reply.subarray(4));
  });

  it("is not asked for in the middle of what the client is sending", () => {
    const scene = new Reading();
    const call = scene.reads(1);
    scene.told(2000, 1);
    scene.pair.server.frames();
    const large = scene.stage.speech.call(7, "history", Buffer.alloc(5_000));
    scene.pair.client.reads(large.subarray(0, 3_000));
    scene.answers(1, null);
    scene.pair.client.reads(large.subarray(3_000));
    expect(scene.pair.server.frames()).toEqual([large.subarray(4), call.subarray(4)]);
  });

  it("is asked for behind that, and so is each other one, and what the proxy asks itself", () => {
    const scene = new Reading();
    const { stage, pair } = scene;
    const other = stage.registered();
    const calls = [scene.reads(1), scene.reads(2)];
    pair.client.reads(stage.speech.call(3, "lastTransaction"));
    pair.server.reads(stage.speech.reply(3, eight(1000)));
    scene.told(2000, 1, 2);
    pair.server.frames();
    const large = stage.speech.call(7, "history", Buffer.alloc(5_000));
    pair.client.reads(large.subarray(0, 3_000));
    // It is silent: that client is asked about it.
    other.client.reads(stage.speech.creation(9, 5));
    other.server.reads(stage.speech.reply(9, eight(3000)));
    for (const oid of [1, 2]) scene.answers(oid, null);
    pair.client.reads(large.subarray(3_000));
    const frames = pair.server.frames();
    expect(frames).toHaveLength(4);
    expect(frames).toEqual(expect.arrayContaining([large, ...calls].map((frame) => frame.subarray(4))));
  });
});

it("one that is too large to be held, and had to wait, leaves nothing to the next large one", () => {
  const scene = new Reading();
  const { stage, pair } = scene;
  const { speech } = stage;
  const [first, second] = [stage.registered(), stage.registered()];
  const data = Buffer.alloc(1_500_000, 7);
  const load = (oid: number): Buffer => speech.reply(readId(oid), new PyTuple([data, eight(1500), null]));
  scene.reads(1);
  scene.reads(2);
  first.client.reads(speech.creation(9, 1));
  // It waits, unread, for the commit that is on its way, and its object is told then, before it.
  pair.server.reads(Buffer.concat([speech.invalidation(2000, 1), load(1)]));
  expect(pair.server.isPaused).toBe(true);
  first.server.reads(speech.reply(9, eight(2000)));
  expect(scene.repairs).toEqual([["ended", 1, 2000]]);
  pair.client.taken();
  second.client.reads(speech.creation(10, 2));
  pair.server.reads(load(2));
  expect([pair.server.isPaused, pair.client.taken().length]).toEqual([true, 0]);
});

it("one whose client could not register is not kept: its reply passes unread", () => {
  const stage = new Stage("Z4");
  const { speech } = stage;
  const pair = stage.registering();
  pair.client.reads(speech.call(readId(1), "loadBefore", eight(1), eight(9_000)));
  pair.server.reads(speech.reply(1, new PyTuple([OTHER, new PyObject(OTHER, new PyTuple([]))])));
  pair.server.reads(speech.reply(readId(1), new PyTuple([DATA, eight(1000), null])));
  pair.client.reads(speech.call(1, "register", "1", false));
  pair.server.reads(speech.welcome(1, 1000));
  pair.server.reads(speech.invalidation(2000, 5));
  expect(stage.said(pair).at(-1)).toBe("T2000 [5]");
  expect(stage.memory.bytes).toBe(0);
});

it("a new server's answers pass as they are: its loop answers in order", () => {
  const scene = new Reading("Z5");
  scene.reads(1);
  scene.told(2000, 1);
  scene.pair.client.frames();
  const reply = scene.revision(1, 1500, null);
  expect(scene.pair.client.frames()).toEqual([reply.subarray(4)]);
});
