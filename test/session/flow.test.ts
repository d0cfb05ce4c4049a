import { describe, expect, it, vi } from "vitest";
import { PyTuple } from "../../src/wire/value.ts";
import { eight } from "./speech.ts";
import { forget, Stage, STALLED_MS, type Pair } from "./stage.ts";

/** Whole buffers would be told byte by byte. */
function expectTaken({ client }: Pair, expected: Buffer): void {
  const taken = client.taken();
  expect([taken.length, taken.equals(expected)]).toEqual([expected.length, true]);
}

/** A client whose network takes nothing, with something that waits for it. */
function slow(stage: Stage, make: () => Pair = () => stage.registered()): Pair {
  const pair = make();
  pair.client.sticks();
  pair.server.reads(stage.speech.tell("info", Buffer.alloc(1000)));
  return pair;
}

/** One that is behind, and whose server has closed: what is held for it waits for another's commit. */
function slowAndDraining(stage: Stage): Pair {
  const { speech } = stage;
  const [, pair] = [stage.finishing(1), stage.registered()];
  pair.client.sticks();
  pair.server.reads(Buffer.concat([speech.tell("info", Buffer.alloc(1000)), speech.invalidation(2000)]));
  pair.server.closes();
  expect(pair.session.life).toBe("draining");
  return pair;
}

describe("the server's connection of a client that is behind", () => {
  it.each(["open", "registered"] as const)(
    "is left unread while nothing is owed to it, and read on behind it: %s",
    (life) => {
      const stage = new Stage();
      const pair = slow(stage, () => (life === "open" ? stage.shaken() : stage.registered()));
      expect(pair.server.commands).toEqual(["pause"]);
      pair.client.drains();
      expect(pair.server.commands).toEqual(["pause", "resume"]);
      stage.leave();
    },
  );

  it("is left unread, too, where bytes are relayed", () => {
    const stage = new Stage();
    const pair = stage.connected();
    pair.client.reads(Buffer.from("160301", "hex"));
    pair.client.sticks();
    pair.server.reads(Buffer.alloc(1000));
    expect(pair.server.commands).toEqual(["pause"]);
    pair.client.drains();
    expect(pair.server.commands).toEqual(["pause", "resume"]);
    stage.leave();
  });

  it("is read while its own tpc_finish is on the way, and from the moment when that is forwarded", () => {
    const stage = new Stage();
    const pair = slow(stage);
    pair.client.reads(stage.speech.creation(9, 1));
    expect(pair.server.commands).toEqual(["pause", "resume"]);
    pair.server.reads(stage.speech.tell("info", Buffer.alloc(1000)));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause", "resume", "pause"]);
    pair.client.drains();
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });

  it("stays unread though something is due to it, and is read behind that when its client has taken what waits", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [slow(stage), stage.registered()];
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause"]);
    pair.client.drains();
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["info", "T2000 [1]"]);
    stage.leave();
  });

  it("is looked at for what happens to others only while it is left unread", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [slow(stage), stage.registered()];
    const look = vi.spyOn(pair.session, "look");
    other.server.reads(speech.invalidation(2000, 5));
    expect(look).toHaveBeenCalledOnce();
    pair.client.drains();
    look.mockClear();
    other.server.reads(speech.invalidation(2001, 5));
    expect(look).not.toHaveBeenCalled();
    stage.leave();
  });

  it("is looked at no more often for what is held, where that is no reason to leave it unread", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair, third] = [stage.finishing(1), stage.registered(), stage.registered()];
    pair.server.reads(speech.invalidation(2000), speech.tell("info", new Map()));
    const look = vi.spyOn(pair.session, "look");
    third.client.reads(speech.creation(9, 2));
    expect(look).not.toHaveBeenCalled();
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "info"]);
    stage.leave();
  });

  it("is commanded nothing behind its end, though its client takes what waits", () => {
    const stage = new Stage();
    const pair = slowAndDraining(stage);
    expect(pair.server.commands).toEqual(["pause"]);
    pair.client.drains();
    expect(pair.server.commands).toEqual(["pause"]);
    stage.leave();
  });

  it("is read again by whoever ends the session", () => {
    const stage = new Stage();
    const pair = slow(stage);
    pair.session.stop();
    expect(pair.server.commands).toEqual(["pause", "end", "resume"]);
    stage.leave();
  });

  it("is read when its client goes, so that its end is seen", () => {
    const stage = new Stage();
    const pair = slow(stage);
    pair.client.closes();
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });
});

describe("the server's connection of a client for which much is held", () => {
  /** So much is held behind what waits for the other's commit. */
  function held(stage: Stage, bytes: number): { pair: Pair; other: Pair } {
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    pair.server.reads(speech.invalidation(2000));
    for (let sent = 0; sent < bytes; sent += 100_000) {
      pair.server.reads(speech.tell("receiveBlobChunk", Buffer.alloc(100_000)));
    }
    return { pair, other };
  }

  it("is left unread beyond 1 MiB while that waits for others' commits, and read on behind them", () => {
    const stage = new Stage();
    const { pair, other } = held(stage, 900_000);
    expect(pair.server.commands).toEqual([]);
    for (let n = 0; n < 2; n++) pair.server.reads(stage.speech.tell("receiveBlobChunk", Buffer.alloc(100_000)));
    expect(pair.server.commands).toEqual(["pause"]);
    expect(stage.said(pair)).toEqual([]);
    other.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause", "resume"]);
    expect(stage.said(pair)).toHaveLength(12);
    stage.leave();
  });

  it("may be 1 MiB in all, and no byte more", () => {
    const stage = new Stage();
    const chunk = (bytes: number): Buffer => stage.speech.tell("receiveBlobChunk", Buffer.alloc(bytes));
    const { pair } = held(stage, 1_000_000);
    const rest = 1024 * 1024 - stage.storage.ledger.heldBytes(2);
    const around = chunk(1000).length - 1000;
    pair.server.reads(chunk(rest - around));
    expect(stage.storage.ledger.heldBytes(2)).toBe(1024 * 1024);
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(stage.speech.tell("info", new Map()));
    expect(pair.server.isPaused).toBe(true);
    stage.leave();
  });

  it("is read on as well when those others fail or go away", () => {
    for (const how of ["fails", "breaks"]) {
      const stage = new Stage();
      const { pair, other } = held(stage, 1_100_000);
      expect(pair.server.isPaused).toBe(true);
      if (how === "fails") other.server.reads(stage.speech.raises(9, "ZODB.POSException.StorageError"));
      else other.server.closes();
      expect(pair.server.isPaused).toBe(false);
      stage.leave();
    }
  });
});

describe("limits.stalled", () => {
  it("ends a client that takes nothing of what waits for it", () => {
    const stage = new Stage();
    const pair = slow(stage);
    stage.clock.move(STALLED_MS - 1);
    expect(stage.endings(pair)).toEqual([]);
    stage.clock.move(1);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
      end: {
        detail: expect.stringMatching(/^1\d\d\d bytes wait for it$/),
        expected: "something taken within 60000 ms",
      },
    });
    expect(pair.client.commands).toEqual(["destroy"]);
    stage.leave();
  });

  it("ends one whose server has closed, too, and who waits for others' commits", () => {
    const stage = new Stage();
    const pair = slowAndDraining(stage);
    stage.clock.move(STALLED_MS);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    stage.leave();
  });

  it("ends nobody who takes a little now and then, however long it takes", () => {
    const stage = new Stage();
    const pair = slow(stage);
    for (let n = 0; n < 20; n++) {
      stage.clock.move(STALLED_MS * 0.9);
      pair.client.takes();
    }
    expect(stage.endings(pair)).toEqual([]);
    pair.client.drains();
    stage.clock.move(10 * STALLED_MS);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("ends nobody for whom nothing waits, and nobody who is relayed", () => {
    const stage = new Stage();
    const idle = stage.registered();
    const pair = stage.connected();
    pair.client.reads(Buffer.from("160301", "hex"), Buffer.from("more"));
    pair.client.sticks();
    pair.server.reads(Buffer.alloc(1000));
    // Both have said something: it is in use.
    pair.client.reads(Buffer.from("17", "hex"));
    stage.clock.move(10 * STALLED_MS);
    expect(stage.endings(idle)).toEqual([]);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });
});

describe("limits.memory", () => {
  const memory = { memoryBytes: 200_000 };
  const part = (stage: Stage, bytes = 90_000): Buffer => stage.speech.tell("receiveBlobChunk", Buffer.alloc(bytes));

  /** Something is due to it and shown behind it, so what the server writes is kept. */
  function held(stage: Stage): Pair {
    const [other, pair] = [stage.finishing(1), stage.registered()];
    other.server.reads(stage.speech.reply(9, eight(2000)));
    pair.server.reads(stage.speech.reply(99, eight(2000)));
    return pair;
  }

  it("counts what is held, whether or not the client is behind", () => {
    const stage = new Stage("Z5", memory);
    const pair = held(stage);
    pair.server.reads(part(stage), part(stage));
    expect(stage.endings(pair)).toEqual([]);
    pair.server.reads(part(stage));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
      end: { detail: expect.stringMatching(/^2\d{5} bytes, more than any other's$/) },
    });
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.session.life).toBe("over");
    stage.leave();
  });

  it("is looked at for each 8 KiB that are read, not for each chunk", () => {
    const stage = new Stage("Z5", { memoryBytes: 5_000 });
    const pair = stage.registered();
    const large = stage.speech.invalidation(2000, ...Array.from({ length: 2_000 }, (_, n) => n));
    pair.session.look();
    pair.server.reads(large.subarray(0, 4_096), large.subarray(4_096, 8_191));
    expect(stage.endings(pair)).toEqual([]);
    pair.server.reads(large.subarray(8_191, 8_192));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    stage.leave();
  });

  it("counts what was said behind a name that waits for the other's", () => {
    for (const end of ["client", "server"] as const) {
      const stage = new Stage("Z5", memory);
      const pair = stage.connected();
      pair[end].reads(Buffer.concat([stage.speech.name, Buffer.alloc(50_000)]));
      expect(stage.memory.bytes).toBe(50_000);
      stage.leave();
    }
  });

  it("counts the calls that wait for their replies", () => {
    const stage = new Stage("Z5", memory);
    const pair = stage.registered();
    for (let id = 10; id < 110; id++) pair.client.reads(stage.speech.call(id, "ping"));
    expect(stage.memory.bytes).toBeGreaterThan(10_000);
    for (let id = 10; id < 110; id++) pair.server.reads(stage.speech.reply(id, null));
    expect(stage.memory.bytes).toBe(0);
    stage.leave();
  });

  it.each(["draining", "orphan"] as const)(
    "lets all of one go that has no server or no client any more: %s",
    (life) => {
      const stage = new Stage("Z5", memory);
      const { speech } = stage;
      const [other, pair] = [stage.finishing(1), life === "orphan" ? stage.finishing(2) : stage.registered()];
      if (life === "draining") {
        pair.server.reads(speech.invalidation(2000), part(stage), part(stage));
        pair.server.ends();
        other.server.reads(speech.invalidation(2000, 5), part(stage, 60_000));
      } else {
        pair.client.closes();
        const large = speech.invalidation(2000, ...Array.from({ length: 30_000 }, (_, n) => n));
        pair.server.reads(large.subarray(0, 250_000));
      }
      expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
      expect(pair.server.commands.at(-1)).toBe("destroy");
      expect(pair.session.life).toBe(life === "orphan" ? "orphan" : "over");
      stage.leave();
    },
  );

  it("ends who holds most, and nobody else", () => {
    const stage = new Stage("Z5", memory);
    const less = stage.registered();
    const most = held(stage);
    most.server.reads(part(stage));
    less.server.reads(stage.speech.reply(99, eight(2000)), part(stage, 80_000));
    expect(stage.endings(most)).toEqual([]);
    less.server.reads(part(stage, 40_000));
    expect([stage.endings(most), stage.endings(less)]).toEqual([[], ["memory-exhausted by client"]]);
    stage.leave();
  });

  it("counts what has come of a message that is not whole, of either side", () => {
    const stage = new Stage("Z5", memory);
    const [a, b] = [stage.registered(), stage.registered()];
    // Longer than what is ever held of a client goes another way.
    a.client.reads(stage.speech.tell("tpc_begin", "", "x".repeat(150_000), "").subarray(0, 120_000));
    expect(stage.memory.bytes).toBeGreaterThan(100_000);
    b.server.reads(
      stage.speech.invalidation(2000, ...Array.from({ length: 30_000 }, (_, n) => n)).subarray(0, 150_000),
    );
    expect([stage.endings(a), stage.endings(b)]).toEqual([[], ["memory-exhausted by client"]]);
    stage.leave();
  });

  it("counts the stores of a transaction, and what waits for a server", () => {
    const stage = new Stage("Z5", memory);
    const pair = stage.registered();
    pair.client.reads(stage.speech.begin(9), ...Array.from({ length: 6000 }, (_, n) => stage.speech.store(9, n)));
    expect(stage.memory.bytes).toBeGreaterThan(40_000);
    pair.server.sticks();
    const before = stage.memory.bytes;
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(1000)));
    expect(stage.memory.bytes - before).toBeGreaterThan(1000);
    stage.leave();
    expect(stage.memory.bytes).toBe(0);
  });

  it("leaves a client that has a tpc_finish on its way as an orphan", () => {
    const stage = new Stage("Z5", memory);
    const { speech } = stage;
    const [pair, other] = [stage.finishing(1), stage.registered()];
    pair.client.sticks();
    pair.server.reads(part(stage), part(stage), part(stage));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(speech.reply(9, eight(2000)));
    other.server.reads(speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("counts an announcement once, however many clients it waits for", () => {
    const stage = new Stage("Z5", { memoryBytes: 400_000 });
    const { speech } = stage;
    const other = stage.registered();
    const pairs = Array.from({ length: 4 }, () => stage.registered());
    const many = Array.from({ length: 20_000 }, (_, n) => n + 100);
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    for (const { client, server } of pairs) {
      client.sticks();
      server.reads(speech.invalidation(2000, ...many));
    }
    expect(pairs.flatMap((pair) => stage.endings(pair))).toEqual([]);
    expect(pairs.map(({ server }) => server.isPaused)).toEqual([true, true, true, true]);
    stage.leave();
  });
});

describe("a reply that is too large to be held", () => {
  const LARGE = 1_500_000;
  const load = (stage: Stage, id: number, serial: number): Buffer =>
    stage.speech.reply(id, new PyTuple([Buffer.alloc(LARGE, 1), eight(serial), null]));

  /** The pair's client has asked for it. */
  function asked(stage: Stage): { pair: Pair; other: Pair } {
    const [other, pair] = [stage.registered(), stage.registered()];
    pair.client.reads(stage.speech.call(5, "loadBefore", eight(1), eight(9000)));
    return { pair, other };
  }

  it("waits unread for the commits that were finishing when it came, then flows on", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    other.client.reads(speech.creation(9, 1));
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame.subarray(0, 60_000));
    expect(pair.server.commands).toEqual(["pause"]);
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause", "resume"]);
    expectTaken(pair, frame.subarray(0, 60_000));
    pair.server.reads(frame.subarray(60_000));
    expectTaken(pair, frame.subarray(60_000));
    expect(stage.memory.bytes).toBeLessThan(10_000);
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("waits for no less when others' commits are over meanwhile", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    const third = stage.registered();
    other.client.reads(speech.creation(9, 1));
    pair.server.reads(load(stage, 5, 1000).subarray(0, 60_000));
    third.client.reads(speech.creation(9, 2));
    third.server.reads(speech.reply(9, eight(2001)));
    expect(pair.server.isPaused).toBe(true);
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });

  it("is one of more than 1 MiB", () => {
    for (const [bytes, isLarge] of [
      [1024 * 1024, false],
      [1024 * 1024 + 1, true],
    ] as const) {
      for (const sort of ["reply", "message"]) {
        const stage = new Stage();
        const { speech } = stage;
        const { pair, other } = asked(stage);
        other.client.reads(speech.creation(9, 1));
        const make = (size: number): Buffer =>
          sort === "reply"
            ? speech.reply(5, new PyTuple([Buffer.alloc(size), eight(1000), null]))
            : speech.tell("receiveBlobChunk", Buffer.alloc(size));
        if (sort === "message") pair.server.reads(speech.invalidation(2000));
        const around = make(100_000).length - 4 - 100_000;
        pair.server.reads(make(bytes - around).subarray(0, 60_000));
        expect(pair.server.isPaused, `${sort} of ${bytes} bytes`).toBe(isLarge);
        stage.leave();
      }
    }
  });

  it.each(["undoInfo", "a call that nobody knows"])("is kept where it may show anything anywhere: of %s", (call) => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    const id = call === "undoInfo" ? 6 : 99;
    if (call === "undoInfo") pair.client.reads(speech.call(id, call, 0, 20));
    other.client.reads(speech.creation(9, 1));
    const frame = load(stage, id, 2000);
    pair.server.reads(frame.subarray(0, 500_000));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(frame.subarray(500_000));
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", `reply ${id}`]);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("flows on to its end where it shows nothing, whatever stands there", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    pair.client.reads(speech.call(6, "getExtensionMethods"));
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000))); // due to the pair's client
    const frame = load(stage, 6, 2000);
    pair.server.reads(frame.subarray(0, 500_000), frame.subarray(500_000));
    expectTaken(pair, frame);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("does not wait for what is forwarded behind its first bytes", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000))); // due to the pair's client
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame.subarray(0, 60_000));
    other.client.reads(speech.creation(10, 2));
    pair.server.reads(frame.subarray(60_000));
    expectTaken(pair, frame);
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });

  it("ends its client where its last bytes show what is still due to it, and they do not go out", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    const frame = load(stage, 5, 2000);
    pair.server.reads(frame);
    expectTaken(pair, frame.subarray(0, -128));
    expect(stage.endings(pair)).toEqual(["reply-too-early by server"]);
    stage.leave();
  });

  it("is told of what it proves before it: the call came behind the committer's reply", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.client.reads(speech.call(5, "loadBefore", eight(1), eight(9000)));
    const frame = load(stage, 5, 2000);
    pair.server.reads(frame);
    expect(stage.said(pair)[0]).toBe("T2000 [1]");
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("inside its own client's finish is read, and flows", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair } = asked(stage);
    pair.client.reads(speech.creation(9, 1));
    const frame = load(stage, 5, 2000);
    pair.server.reads(frame);
    expect(pair.server.commands).toEqual([]);
    expectTaken(pair, frame);
    pair.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is kept where what stands before it waits for what comes behind it", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.reply(99, eight(2000))); // shows T2000, whose message has not come
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame);
    expectTaken(pair, Buffer.alloc(0));
    expect(stage.memory.bytes).toBeGreaterThan(LARGE);
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)[0]).toBe("T2000 [1]");
    stage.leave();
    expect(stage.memory.bytes).toBe(0);
  });

  it("that waits is let go with its client, and with its server", () => {
    for (const party of ["client", "server"] as const) {
      const stage = new Stage();
      const { pair, other } = asked(stage);
      other.client.reads(stage.speech.creation(9, 1));
      pair.server.reads(load(stage, 5, 1000).subarray(0, 60_000));
      pair[party].closes();
      expect(stage.endings(pair)).toEqual([]);
      other.server.reads(stage.speech.reply(9, eight(2000)));
      stage.leave();
    }
  });

  it("that waits behind something else is forgotten when its server closes, and what stands before it goes out", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    other.client.reads(speech.creation(9, 1));
    pair.server.reads(speech.invalidation(2000, 1), load(stage, 5, 1000).subarray(0, 60_000));
    expect(pair.server.isPaused).toBe(true);
    pair.server.closes();
    expect(pair.session.life).toBe("draining");
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("that waits is read when its client sends a tpc_finish", () => {
    const stage = new Stage();
    const { speech } = stage;
    const { pair, other } = asked(stage);
    other.client.reads(speech.creation(9, 1));
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame.subarray(0, 60_000));
    expect(pair.server.isPaused).toBe(true);
    pair.client.reads(speech.creation(10, 2));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(frame.subarray(60_000), speech.reply(10, eight(2001)));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });
});

describe("a message that is too large to be held", () => {
  const chunk = (stage: Stage): Buffer => stage.speech.tell("receiveBlobChunk", Buffer.alloc(1_500_000, 1));

  it("waits unread for the commits that what stands before it waits for", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    const frame = chunk(stage);
    pair.server.reads(Buffer.concat([speech.invalidation(2000), frame.subarray(0, 60_000)]));
    expect(pair.server.isPaused).toBe(true);
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(frame.subarray(60_000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "receiveBlobChunk"]);
    expect(stage.memory.bytes).toBe(0);
    stage.leave();
  });

  it("is kept where what stands before it waits for what comes behind it", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.reply(99, eight(2000))); // shows T2000, whose message has not come
    const frame = chunk(stage);
    pair.server.reads(frame.subarray(0, 60_000), frame.subarray(60_000));
    expectTaken(pair, Buffer.alloc(0));
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "reply 99", "receiveBlobChunk"]);
    stage.leave();
  });
});

it("what stands behind a frame that waits is the server's, whoever makes it be read", () => {
  const stage = new Stage();
  const { speech } = stage;
  const [other, pair] = [stage.finishing(1), stage.registered()];
  const large = speech.tell("receiveBlobChunk", Buffer.alloc(1_500_000, 1));
  pair.server.reads(Buffer.concat([speech.invalidation(2000), large, speech.nonsense]));
  expect(stage.endings(pair)).toEqual([]);
  other.server.reads(speech.reply(9, eight(2000)));
  expect(stage.endings(pair)).toEqual(["bad-pickle by server"]);
  expect(stage.endings(other)).toEqual([]);
  stage.leave();
});

describe("a client whose server is behind", () => {
  it("is left unread, and read on when it is not any more", () => {
    const stage = new Stage();
    const pair = stage.registered();
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(1000)));
    expect(pair.client.commands).toEqual(["pause"]);
    pair.server.drains();
    expect(pair.client.commands).toEqual(["pause", "resume"]);
    stage.leave();
  });

  it("stays unread after quiesce()", () => {
    const stage = new Stage();
    const pair = stage.registered();
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(1000)));
    pair.session.quiesce();
    forget(pair);
    pair.server.drains();
    expect(pair.client.isPaused).toBe(true);
    stage.leave();
  });
});

it("a server connection that was left unread before register is read when its client does", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.shaken();
  pair.client.sticks();
  pair.server.reads(speech.tell("info", Buffer.alloc(1000)));
  pair.client.reads(speech.call(1, "register", "1", false));
  expect(pair.server.isPaused).toBe(true);
  pair.client.drains();
  expect(pair.server.isPaused).toBe(false);
});
