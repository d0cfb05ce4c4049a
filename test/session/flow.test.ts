import { describe, expect, it, vi } from "vitest";
import { slow, slowAndDraining } from "./scenes.ts";
import { eight } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

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

  it("is not looked at for what happens to others: it waits for its client alone", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [pair, other] = [slow(stage), stage.registered()];
    const look = vi.spyOn(pair.session, "look");
    other.server.reads(speech.invalidation(2000, 5));
    expect(look).not.toHaveBeenCalled();
    pair.client.reads(speech.creation(9, 1));
    expect(look).toHaveBeenCalled();
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
    const look = vi.spyOn(pair.session, "look");
    stage.registered().server.reads(stage.speech.invalidation(1900, 5));
    expect(look).toHaveBeenCalled();
    other.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause", "resume"]);
    expect(stage.said(pair)).toHaveLength(12);
    look.mockClear();
    other.server.reads(stage.speech.invalidation(2001, 5));
    expect(look).not.toHaveBeenCalled();
    stage.leave();
  });

  it("and that is behind as well is looked at for what happens to others only as long as it waits for their commits", () => {
    const stage = new Stage();
    const { pair, other } = held(stage, 1_100_000);
    const third = stage.registered();
    const look = vi.spyOn(pair.session, "look");
    pair.client.sticks();
    other.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause"]);
    look.mockClear();
    third.server.reads(stage.speech.invalidation(2001, 5));
    expect(look).not.toHaveBeenCalled();
    pair.client.drains();
    expect(pair.server.commands).toEqual(["pause", "resume"]);
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
