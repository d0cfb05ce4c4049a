import { describe, expect, it, vi } from "vitest";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { PyGlobal, PyObject, PyTuple, type Value } from "../../src/wire/value.ts";
import { numbers, packed } from "../ledger/script.ts";
import { frameOf } from "../proxy/peer.ts";
import { messageOf, unreadable } from "../wire/hostile.ts";
import { payloads } from "./played-connection.ts";
import { eight, tidOf, type Speech } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

// What is read is overwritten as soon as it was handed over: what comes out later must be right all the same.

const PROTOCOLS = ["Z308", "Z4", "Z5", "M5"];

/** So many bytes of data in a reply, and how the server's bytes come. */
const SHAPES: readonly (readonly [string, number, (bytes: Buffer) => Buffer[]])[] = [
  ["small frames in one piece", 10, (bytes) => [bytes]],
  ["small frames byte by byte", 10, (bytes) => pieces(bytes, 1)],
  ["small frames in pieces of seven bytes", 10, (bytes) => pieces(bytes, 7)],
  ["frames beyond 16 KiB in one piece", 20_000, (bytes) => [bytes]],
  ["frames beyond 16 KiB in pieces of 16 KiB", 20_000, (bytes) => pieces(bytes, 16_384)],
  ["frames over several pieces", 300_000, (bytes) => pieces(bytes, 65_536)],
];

function pieces(bytes: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
}

/** A load's reply, with different bytes in it. */
function loaded(speech: Speech, id: number, size: number, serial = 900): Buffer {
  const data = Buffer.from(Array.from({ length: size }, (_, n) => (n * 7 + id) % 251));
  return speech.reply(id, new PyTuple([data, eight(serial), null]));
}

/** A client that knows the last transaction, and has asked for all that the tests let the server answer. */
function asking(stage: Stage): Pair {
  const pair = stage.registered();
  const { speech } = stage;
  pair.client.reads(speech.call(19, "lastTransaction"));
  pair.server.reads(speech.reply(19, eight(1000)));
  for (const id of [20, 21, 22]) pair.client.reads(speech.call(id, "loadBefore", eight(3), eight(4)));
  pair.client.reads(speech.call(23, "getInvalidations", eight(1000)), speech.call(24, "lastTransaction"));
  forget(pair);
  return pair;
}

const equal = (one: Buffer, other: Buffer): boolean => one.equals(other);

describe("while nothing is owed to a client", () => {
  it.each(SHAPES)("its server's bytes pass as they come: %s", (_, size, cut) => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = asking(stage);
    const sent = [
      loaded(speech, 20, size),
      speech.tell("receiveBlobChunk", Buffer.alloc(size, 3)),
      loaded(speech, 21, 0),
    ];
    for (const piece of cut(Buffer.concat(sent))) {
      pair.server.reads(piece);
      // Nothing of it is kept but a head that is too short, or a length.
      expect(stage.storage.ledger.heldBytes(1)).toBe(0);
    }
    expect(equal(pair.client.taken(), Buffer.concat(sent))).toBe(true);
    stage.leave();
  });

  it("a large frame passes before it is whole, even when something becomes due meanwhile", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.registered(), asking(stage)];
    const large = loaded(speech, 20, 100_000);
    pair.server.reads(large.subarray(0, 50_000));
    expect(equal(pair.client.taken(), large.subarray(0, 50_000))).toBe(true);
    other.client.reads(speech.creation(9, 1));
    pair.server.reads(large.subarray(50_000, 60_000));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(Buffer.concat([large.subarray(60_000), speech.invalidation(2000, 5)]));
    const rest = pair.client.taken();
    const behind = large.length - 50_000;
    expect(equal(rest.subarray(0, behind), large.subarray(50_000))).toBe(true);
    expect(payloads(rest.subarray(behind)).map((payload) => speech.said(payload))).toEqual(["T2000 [5 1]"]);
    stage.leave();
  });

  it("an invalidation that lacks nothing, and the replies that the ledger reads, come out as they were", () => {
    for (const protocol of PROTOCOLS) {
      const stage = new Stage(protocol);
      const { speech } = stage;
      const pair = asking(stage);
      const sent = Buffer.concat([
        speech.missed(23, 1000, 7),
        speech.reply(24, eight(1000)),
        speech.invalidation(2000, 5, 6),
        loaded(speech, 20, 10, 2000),
      ]);
      pair.server.reads(sent);
      expect(equal(pair.client.taken(), sent)).toBe(true);
      stage.leave();
    }
  });
});

describe("a message that shows nothing", () => {
  it.each([
    ["Z4", "info", true],
    ["Z4", "receiveBlobChunk", true],
    ["Z5", "serialnos", true],
    // It names what was refused, and what a conflict shows.
    ["Z4", "serialnos", false],
  ])("flows on before it is whole: a %s server's %s, %s", (protocol, method, flows) => {
    const stage = new Stage(protocol);
    const pair = stage.registered();
    const message = stage.speech.tell(method, Buffer.alloc(100_000));
    pair.server.reads(message.subarray(0, 50_000));
    expect(pair.client.taken()).toHaveLength(flows ? 50_000 : 0);
    pair.server.reads(message.subarray(50_000));
    expect(pair.client.taken()).toHaveLength(flows ? message.length - 50_000 : message.length);
    stage.leave();
  });
});

describe("while another commit may be what a message shows", () => {
  describe.each(PROTOCOLS)("in front of a %s server", (protocol) => {
    it.each(SHAPES)("all is held, then comes out in order, completed and merged: %s", (_, size, cut) => {
      const stage = new Stage(protocol);
      const { speech } = stage;
      const [pair, other] = [asking(stage), stage.finishing(1)];
      const [first, second, last] = [loaded(speech, 20, size), loaded(speech, 21, size), loaded(speech, 22, 3)];
      const info = speech.tell("info", Buffer.alloc(size, 3));
      const sent = [first, speech.invalidation(2000, 5, 6), second, info, speech.missed(23, 2000, 7), last];
      pair.server.reads(...cut(Buffer.concat(sent)));
      expect(pair.client.taken()).toHaveLength(0);
      other.server.reads(speech.reply(9, eight(2000)));

      const [one, told, two, between, missed, three] = pair.client.frames();
      expect(speech.said(told ?? Buffer.alloc(0))).toBe("T2000 [5 6 1]");
      const exact = speech.codec.encodeInvalidation(
        speech.dialect,
        speech.protocol.versions ? "pairs" : "plain",
        tidOf(2000),
        packed([5, 6, 1]),
      );
      expect(told?.equals(exact)).toBe(true);
      for (const [got, frame] of [
        [one, first],
        [two, second],
        [between, info],
        [three, last],
      ] as const) {
        expect(got?.equals(frame.subarray(4))).toBe(true);
      }
      expect(missed).toBeDefined();
      if (missed === undefined) return;
      const answer = speech.codec.invalidationsReply(missed, speech.envelope(missed));
      expect(answer?.tid).toBe(2000n);
      expect(numbers(answer?.oids ?? Buffer.alloc(0)).sort()).toEqual([1, 5, 6, 7]);
      stage.leave();
    });
  });

  it("each of two cuts of a stream gives the same", () => {
    const { speech } = new Stage();
    const sent = Buffer.concat([
      loaded(speech, 20, 30),
      speech.invalidation(2000, 5),
      speech.missed(23, 2000, 7),
      speech.reply(24, eight(2000)),
    ]);
    const results = new Set<string>();
    for (let at = 1; at < sent.length; at++) {
      const stage = new Stage();
      const [pair, other] = [asking(stage), stage.finishing(1)];
      pair.server.reads(sent.subarray(0, at), sent.subarray(at));
      expect(pair.client.taken()).toHaveLength(0);
      other.server.reads(speech.reply(9, eight(2000)));
      results.add(pair.client.taken().toString("latin1"));
    }
    const [only, ...more] = results;
    expect(more).toEqual([]);
    expect(payloads(Buffer.from(only ?? "", "latin1")).map((payload) => speech.said(payload))).toEqual([
      "reply 20",
      "T2000 [5 1]",
      "reply 23",
      "reply 24",
    ]);
  });

  it("what shows nothing goes on, unless it stands behind what waits", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [asking(stage), stage.finishing(1)];
    pair.server.reads(Buffer.concat([speech.tell("info", new Map()), speech.invalidation(2000, 5)]));
    expect(stage.said(pair)).toEqual(["info"]);
    pair.server.reads(speech.tell("info", new Map()));
    expect(stage.said(pair)).toEqual([]);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [5 1]", "info"]);
    stage.leave();
  });

  it("nothing is held behind a commit that failed", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [asking(stage), stage.finishing(1)];
    const sent = Buffer.concat([speech.invalidation(2000, 5), loaded(speech, 20, 100, 2000)]);
    pair.server.reads(sent);
    other.server.reads(speech.raises(9, "ZODB.POSException.StorageError"));
    expect(equal(pair.client.taken(), sent)).toBe(true);
    stage.leave();
  });
});

describe("the same message of the server's for many clients", () => {
  it("is completed for each of them, whatever becomes of the bytes in which it came", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pairs = [asking(stage), asking(stage), asking(stage)];
    const other = stage.finishing(1);
    for (const { server } of pairs) server.reads(speech.invalidation(2000, 5));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pairs.map((pair) => stage.said(pair))).toEqual(pairs.map(() => ["T2000 [5 1]"]));
    // And of a commit that has settled before.
    other.client.reads(speech.creation(10, 2));
    other.server.reads(speech.reply(10, eight(2001)));
    for (const { server } of pairs) server.reads(speech.invalidation(2001, 6));
    expect(pairs.map((pair) => stage.said(pair))).toEqual(pairs.map(() => ["T2001 [6 2]"]));
    stage.leave();
  });
});

describe("a client that resumes", () => {
  it("is answered with what settles while the reply is held, at None where the history does not reach back", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [asking(stage), stage.finishing(1)];
    pair.client.reads(speech.call(30, "getInvalidations", eight(10)));
    pair.server.reads(speech.missed(23, 2000), speech.missed(30, 2000));
    expect(stage.said(pair)).toEqual([]);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual([]);
    pair.server.reads(speech.invalidation(2000));
    const [told, ...replies] = pair.client.frames();
    expect(speech.said(told ?? Buffer.alloc(0))).toBe("T2000 [1]");
    const answers = replies.map((payload) => {
      const answer = speech.codec.invalidationsReply(payload, speech.envelope(payload));
      return answer && [Number(answer.tid), numbers(answer.oids)];
    });
    expect(answers).toEqual([[2000, [1]], undefined]);
    expect(stage.happenings.filter(({ what }) => what === "resumed")).toMatchObject([
      { from: 1000n, tid: 2000n },
      { from: 10n, tid: undefined, reach: 1000n },
    ]);
    stage.leave();
  });

  it("is answered right, too, where what was decoded is a view of what was read", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [asking(stage), stage.finishing(1)];
    const decode = pickleCodec.invalidationsReply.bind(pickleCodec);
    vi.spyOn(pickleCodec, "invalidationsReply").mockImplementationOnce((payload, envelope) => {
      const answer = decode(payload, envelope);
      const at = payload.indexOf(eight(7));
      return answer && { ...answer, oids: payload.subarray(at, at + 8) };
    });
    pair.server.reads(speech.missed(23, 2000, 7));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.invalidation(2000));
    const [, reply] = pair.client.frames();
    const answer = reply && speech.codec.invalidationsReply(reply, speech.envelope(reply));
    expect(answer && [answer.tid, numbers(answer.oids)]).toEqual([2000n, [7, 1]]);
    stage.leave();
  });

  it("gets an exception as the server wrote it", () => {
    const stage = new Stage();
    const pair = asking(stage);
    const sent = stage.speech.raises(23, "builtins.ValueError", "no");
    pair.server.reads(sent);
    expect(equal(pair.client.taken(), sent)).toBe(true);
    stage.leave();
  });
});

describe("an old server's serialnos", () => {
  const refusal = (serial: number): Value => {
    const state = new Map<Value, Value>([["serials", new PyTuple([eight(serial), eight(1)])]]);
    const made = new PyGlobal("ZODB.POSException", "ConflictError");
    return new PyObject(new PyGlobal("ZODB.POSException", "_recon"), new PyTuple([made, state]));
  };

  it("take out what was refused", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    pair.client.reads(speech.begin(8), speech.store(8, 3, 900), speech.store(8, 4, 900));
    const sent = speech.tell("serialnos", [new PyTuple([eight(3), refusal(950)]), new PyTuple([eight(4), eight(1)])]);
    pair.server.reads(sent);
    expect(equal(pair.client.taken(), sent)).toBe(true);
    pair.client.reads(speech.finish(8));
    pair.server.reads(speech.reply(8, eight(2000)));
    other.server.reads(speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [4]"]);
    stage.leave();
  });

  it("are told by their name: nothing else takes out anything, whatever it says", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, third, pair] = [stage.registered(), stage.finishing(1), stage.registered()];
    pair.client.reads(speech.begin(8), speech.store(8, 3, 900));
    pair.server.reads(speech.invalidation(2000));
    // It waits, so it is read.
    pair.server.reads(speech.tell("info", [new PyTuple([eight(3), refusal(950)])]));
    third.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "info"]);
    other.server.reads(speech.invalidation(2000));
    forget(other);
    pair.client.reads(speech.finish(8));
    pair.server.reads(speech.reply(8, eight(2001)));
    other.server.reads(speech.invalidation(2001));
    expect(stage.said(other)).toEqual(["T2001 [3]"]);
    stage.leave();
  });

  it("wait where a conflict in them names what may be a commit that is on its way", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    pair.client.reads(speech.begin(8), speech.store(8, 3, 900));
    pair.server.reads(speech.tell("serialnos", [new PyTuple([eight(3), refusal(2000)])]));
    expect(stage.said(pair)).toEqual([]);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "serialnos"]);
    stage.leave();
  });
});

describe("the reply to a lastTransaction", () => {
  const unclear = (stage: Stage): Buffer =>
    frameOf(messageOf(stage.speech.codec, 20, 0, ".reply", Object.values(unreadable(stage.speech.codec))[0] as Buffer));

  it.each([
    ["an exception", "shows nothing", (stage: Stage) => stage.speech.raises(20, "builtins.ValueError", "no")],
    ["None", "shows nothing", (stage: Stage) => stage.speech.reply(20, null)],
    ["what nobody can read", "may show anything", unclear],
  ] as const)("that is %s %s", (_, shows, reply) => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    pair.client.reads(speech.call(20, "lastTransaction"));
    pair.server.reads(reply(stage));
    expect(stage.said(pair)).toEqual(shows === "shows nothing" ? ["reply 20"] : []);
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(shows === "shows nothing" ? ["T2000 [1]"] : ["T2000 [1]", "reply 20"]);
    stage.leave();
  });

  it("that nobody can read proves nothing of what an old server has not said yet", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    pair.client.reads(speech.call(20, "lastTransaction"));
    other.client.reads(speech.begin(9), speech.store(9, 1, 900), speech.finish(9));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(unclear(stage));
    expect(stage.said(pair)).not.toContain("T2000 [1]");
    pair.server.reads(speech.invalidation(2000, 1));
    expect(stage.said(pair)).toContain("T2000 [1]");
    stage.leave();
  });
});

it("an old server's reply to register shows nothing, whatever it is", () => {
  const stage = new Stage("Z4");
  const { speech } = stage;
  const pair = stage.registering();
  pair.server.reads(speech.reply(1, eight(5000)));
  pair.client.reads(speech.call(20, "lastTransaction"));
  pair.server.reads(speech.reply(20, eight(1000)));
  expect(stage.said(pair)).toEqual(["reply 1", "reply 20"]);
  expect(stage.endings(pair)).toEqual([]);
  stage.leave();
});

describe("the reply to a vote", () => {
  const conflict = [
    new Map<Value, Value>([
      ["oid", eight(1)],
      ["serials", new PyTuple([eight(950), eight(900)])],
    ]),
  ];

  it.each<[string, string, boolean, (stage: Stage) => Buffer]>([
    ["Z5", "a list of oids", true, ({ speech }) => speech.reply(30, [eight(1)])],
    ["Z5", "a list with a conflict", false, ({ speech }) => speech.reply(30, conflict)],
    ["Z5", "an exception", false, ({ speech }) => speech.raises(30, "ZODB.POSException.StorageError")],
    ["Z4", "None", true, ({ speech }) => speech.reply(30, null)],
    ["Z4", "anything but an exception", true, ({ speech }) => speech.reply(30, conflict)],
  ])("of a %s server that is %s grants it: %s", (protocol, _, isGranted, reply) => {
    for (const wasGranted of [false, true]) {
      const stage = new Stage(protocol);
      const { speech } = stage;
      const pair = stage.registered();
      pair.client.reads(speech.begin(9), speech.store(9, 1, 900));
      if (wasGranted) {
        pair.client.reads(speech.call(29, "vote", 9));
        pair.server.reads(speech.reply(29, null));
      }
      pair.client.reads(speech.call(30, "vote", 9));
      pair.server.reads(reply(stage));
      expect(pair.session.hasVoted).toBe(isGranted);
      stage.leave();
    }
  });

  it("that nobody can read concludes nothing: neither that it is granted, nor that it is not", () => {
    for (const wasGranted of [false, true]) {
      const stage = new Stage();
      const { speech } = stage;
      const pair = stage.registered();
      pair.client.reads(speech.begin(9), speech.store(9, 1, 900), speech.call(29, "vote", 9));
      if (wasGranted) pair.server.reads(speech.reply(29, null));
      pair.client.reads(speech.call(30, "vote", 9));
      const body = Object.values(unreadable(speech.codec))[0] as Buffer;
      pair.server.reads(frameOf(messageOf(speech.codec, 30, 0, ".reply", body)));
      expect(pair.session.hasVoted).toBe(wasGranted);
      stage.leave();
    }
  });

  it("that is a failure makes the server forget the transaction with its stores", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    pair.client.reads(speech.begin(9), speech.store(9, 1, 900), speech.call(30, "vote", 9));
    pair.server.reads(speech.raises(30, "ZODB.POSException.StorageError"));
    pair.client.reads(speech.begin(9), speech.store(9, 2, 900), speech.finish(9));
    pair.server.reads(speech.reply(9, eight(2000)));
    other.server.reads(speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [2]"]);
    stage.leave();
  });
});

it("a question's reply is handed to nobody, also while something is held", () => {
  const stage = new Stage("Z4");
  const { speech } = stage;
  const [other, third, pair] = [stage.registered(), stage.registered(), stage.registered()];
  other.client.reads(speech.creation(9, 1));
  other.server.reads(speech.reply(9, eight(2000)));
  const question = pair.server.frames().find((payload) => speech.said(payload) === "lastTransaction");
  const id = Number(speech.envelope(question as Buffer).id);
  third.client.reads(speech.creation(9, 2));
  pair.server.reads(speech.invalidation(3000, 5));
  expect(stage.said(pair)).toEqual(["T2000 [1]"]);
  pair.server.reads(speech.reply(id, eight(3000)));
  expect(stage.endings(pair)).toEqual([]);
  third.server.reads(speech.reply(9, eight(3000)));
  expect(stage.said(pair)).toEqual(["T3000 [5 2]"]);
  stage.leave();
});

describe("an error that nobody has foreseen", () => {
  const throws = (): never => {
    throw new RangeError("nobody has thought of this");
  };

  it("leaves a commit in doubt that is on its way: the server is followed no more", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(1), stage.registered()];
    vi.spyOn(stage.storage.ledger, "invalidation").mockImplementationOnce(throws);
    pair.server.reads(stage.speech.invalidation(1500, 5));
    expect(stage.endings(pair)).toEqual(["internal-error by proxy"]);
    expect(stage.endings(other)).toEqual(["unknown-commit by server"]);
    stage.leave();
  });

  it("is not taken for a reply that nobody can read", () => {
    const stage = new Stage();
    const pair = asking(stage);
    vi.spyOn(pickleCodec, "invalidationsReply").mockImplementationOnce(throws);
    pair.server.reads(stage.speech.missed(23, 1000));
    expect(stage.endings(pair)).toEqual(["internal-error by proxy"]);
    stage.leave();
  });
});

describe("a reply that nobody asked for", () => {
  it("passes while nothing is owed, and may show anything otherwise", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    pair.server.reads(speech.reply(77, eight(2000)));
    expect(stage.said(pair)).toEqual(["reply 77"]);
    other.client.reads(speech.creation(9, 1));
    pair.server.reads(speech.reply(78, eight(2000)));
    expect(stage.said(pair)).toEqual([]);
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "reply 78"]);
    stage.leave();
  });
});

describe("a message that can't be read while its client's tpc_finish is on the way", () => {
  const noTid = (stage: Stage): Buffer => stage.speech.tell("invalidateTransaction", "no tid", 5);

  it("ends that session alone: its commit settles, and everyone is told", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [stage.finishing(1), stage.registered()];
    pair.server.reads(Buffer.concat([noTid(stage), noTid(stage), speech.tell("info", new Map())]));
    expect(stage.endings(pair)).toEqual(["bad-pickle by server"]);
    expect(pair.session.life).toBe("orphan");
    expect(pair.client.commands).toContain("destroy");
    pair.server.reads(speech.reply(9, eight(2000)));
    other.server.reads(speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [1]"]);
    expect(stage.endings(other)).toEqual([]);
    stage.leave();
  });

  it("is one, too, whose id is that of the tpc_finish", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(1, 0), stage.registered()];
    pair.server.reads(noTid(stage));
    expect(stage.endings(pair)).toEqual(["bad-pickle by server"]);
    expect(pair.session.life).toBe("orphan");
    expect(stage.endings(other)).toEqual([]);
    stage.leave();
  });

  it("is no such thing where it is the reply itself, or nobody can tell", () => {
    for (const bad of [
      (stage: Stage) => frameOf(stage.speech.reply(9, null).subarray(4, -1)),
      (stage: Stage) => stage.speech.nonsense,
    ]) {
      const stage = new Stage();
      const [pair, other] = [stage.finishing(1), stage.registered()];
      pair.server.reads(bad(stage));
      expect(stage.endings(pair)).toEqual(["bad-pickle by server"]);
      expect(stage.endings(other)).toEqual(["unknown-commit by server"]);
      stage.leave();
    }
  });

  it("makes an exception as the reply one that leaves everyone in doubt: the vote's reply may have been among it", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(1), stage.registered()];
    pair.server.reads(noTid(stage));
    pair.server.reads(stage.speech.raises(9, "ZODB.POSException.StorageError"));
    expect(stage.endings(other)).toEqual(["unknown-commit by server"]);
    stage.leave();
  });
});
