import { describe, expect, it, vi } from "vitest";
import { eight } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

const MIB = 1024 * 1024;

/** A client whose network takes nothing, with something that waits for it. */
function slow(stage: Stage, make: () => Pair = () => stage.registered()): Pair {
  const pair = make();
  pair.client.sticks();
  pair.server.reads(stage.speech.tell("info", Buffer.alloc(1000)));
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

  it("is read from the moment when something is due to it", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [slow(stage), stage.registered()];
    other.client.reads(speech.creation(9, 1));
    expect(pair.server.isPaused).toBe(true);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(speech.invalidation(2000));
    expect(pair.server.isPaused).toBe(true);
    pair.client.drains();
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

describe("limits.outbox", () => {
  const limits = { outboxBytes: 200_000 };

  /** Something is due, so the server must be read. */
  function owed(stage: Stage): Pair {
    const [other, pair] = [stage.finishing(1), stage.registered()];
    other.server.reads(stage.speech.reply(9, eight(2000)));
    return pair;
  }

  it("ends a client that is behind while its server must be read, when more waits for it", () => {
    const stage = new Stage("Z5", { limits });
    const pair = owed(stage);
    pair.client.sticks();
    const part = stage.speech.tell("receiveBlobChunk", Buffer.alloc(90_000));
    pair.server.reads(part, part);
    expect(stage.endings(pair)).toEqual([]);
    pair.server.reads(part);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.session.life).toBe("over");
    stage.leave();
  });

  it("counts what is held, whether or not the client is behind", () => {
    const stage = new Stage("Z5", { limits });
    const { speech } = stage;
    const pair = owed(stage);
    // It shows T2000, whose message has not come.
    pair.server.reads(speech.reply(99, eight(2000)));
    const part = speech.tell("receiveBlobChunk", Buffer.alloc(90_000));
    pair.server.reads(part, part);
    expect(stage.endings(pair)).toEqual([]);
    pair.server.reads(part);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    stage.leave();
  });

  it("ends nobody who is only left unread, and nobody who is quick", () => {
    const stage = new Stage("Z5", { limits });
    const { speech } = stage;
    const [behind, quick] = [slow(stage), owed(stage)];
    for (let sent = 0; sent < MIB; sent += 90_000) {
      quick.server.reads(speech.tell("receiveBlobChunk", Buffer.alloc(90_000)));
    }
    expect(behind.server.isPaused).toBe(false);
    behind.server.reads(speech.invalidation(2000));
    expect(behind.server.isPaused).toBe(true);
    expect(stage.endings(behind)).toEqual([]);
    expect(stage.endings(quick)).toEqual([]);
    stage.leave();
  });

  it("leaves a client that has a tpc_finish on its way as an orphan", () => {
    const stage = new Stage("Z5", { limits });
    const { speech } = stage;
    const [pair, other] = [stage.finishing(1), stage.registered()];
    pair.client.sticks();
    const part = speech.tell("receiveBlobChunk", Buffer.alloc(90_000));
    pair.server.reads(part, part, part);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(speech.reply(9, eight(2000)));
    other.server.reads(speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("passes on the tpc_finish at which it ends a client, and nothing behind that", () => {
    const stage = new Stage("Z5", { limits });
    const { speech } = stage;
    const pair = slow(stage);
    // It came before the connection could be left unread.
    pair.client.write(Buffer.alloc(limits.outboxBytes));
    const commit = speech.creation(9, 1);
    pair.client.reads(Buffer.concat([commit, speech.call(20, "loadEx", eight(1))]));
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    expect(pair.session.life).toBe("orphan");
    expect(pair.server.taken()).toEqual(commit);
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });

  it("counts an announcement once, however many clients it waits for", () => {
    const stage = new Stage("Z5", { limits });
    const { speech } = stage;
    const other = stage.registered();
    const pairs = Array.from({ length: 4 }, () => stage.registered());
    const many = Array.from({ length: 20_000 }, (_, n) => n + 100);
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    for (const { client, server } of pairs) {
      client.sticks();
      server.reads(speech.invalidation(2000, ...many));
      expect(client.queuedBytes).toBeGreaterThan(limits.outboxBytes);
    }
    // Something else is due, so the servers must be read.
    other.client.reads(speech.creation(10, 2));
    other.server.reads(speech.reply(10, eight(2001)));
    for (const { server } of pairs) server.reads(speech.tell("info", new Map()));
    expect(pairs.flatMap((pair) => stage.endings(pair))).toEqual([]);
    // All but one go: now they are that one's alone.
    for (const pair of pairs.slice(1)) pair.client.closes();
    pairs[0]?.server.reads(speech.tell("info", new Map()));
    expect(pairs.flatMap((pair) => stage.endings(pair))).toEqual(["client-too-slow by client"]);
    stage.leave();
  });
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
