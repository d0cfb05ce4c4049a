import { describe, expect, it } from "vitest";
import { forget, HANDSHAKE_MS, Stage, type Pair } from "./stage.ts";
import { eight } from "./speech.ts";

const PROTOCOLS = ["Z4", "Z5", "M5"] as const;

/** The proxy's own question, if it has asked one, is answered. */
function answers({ server }: Pair, { speech }: Stage, tid: number): void {
  const asked = server.frames().at(-1);
  if (asked === undefined) throw new Error("nothing was asked");
  const { id, method } = speech.envelope(asked);
  expect(method).toBe("lastTransaction");
  server.reads(speech.reply(id, eight(tid)));
}

describe.each(PROTOCOLS)("an observed session, %s", (protocol) => {
  it("relays what each side says, byte for byte and at once", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    const writer = stage.registered(1000, true);
    writer.client.reads(speech.creation(9, 5));
    expect(writer.server.taken()).toEqual(speech.creation(9, 5));
    const message = speech.invalidation(1001);
    pair.server.reads(message.subarray(0, 7));
    expect(pair.client.taken()).toEqual(message.subarray(0, 7));
    pair.server.reads(message.subarray(7));
    expect(pair.client.taken()).toEqual(message.subarray(7));
    expect([pair.session.life, pair.session.isObserved]).toEqual(["relayed", true]);
  });

  it("goes on when its shadow can't", () => {
    const stage = new Stage(protocol);
    const pair = stage.registered(1000, true);
    pair.server.reads(stage.speech.nonsense);
    expect(pair.client.taken()).toEqual(stage.speech.nonsense);
    stage.clock.move(10_000);
    pair.client.reads(stage.speech.call(7, "ping"));
    expect(pair.server.taken()).toEqual(stage.speech.call(7, "ping"));
    const whats = stage.happenings.map((one) =>
      one.what === "observed" ? `${one.what} ${one.happening.what}` : one.what,
    );
    expect(whats).toContain("observed ended");
    expect(whats).not.toContain("ended");
    // To be repaired it would have to be followed.
    pair.session.turnTo("repair");
    expect(stage.happenings.at(-1)).toMatchObject({ what: "relayed", reason: "lost" });
    pair.server.reads(stage.speech.invalidation(1001, 5));
    expect(pair.client.taken()).toEqual(stage.speech.invalidation(1001, 5));
  });

  it("turns where no call waits and no transaction is open, and asks where the server stands", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    pair.client.reads(speech.call(5, "get_info"));
    forget(pair);
    pair.session.turnTo("repair");
    // Left unread, so that nothing comes behind that call.
    expect([pair.session.isObserved, pair.client.isPaused]).toEqual([true, true]);
    pair.server.reads(speech.reply(5, null));
    expect([pair.session.isObserved, pair.client.taken()]).toEqual([false, speech.reply(5, null)]);
    // What the server writes before the answer passes as it is.
    pair.server.reads(speech.invalidation(1001, 3));
    expect(pair.client.taken()).toEqual(speech.invalidation(1001, 3));
    answers(pair, stage, 1001);
    expect([pair.client.taken(), pair.client.isPaused, pair.session.life]).toEqual([
      Buffer.alloc(0),
      false,
      "registered",
    ]);
  });

  it("asks again where the server has told of a later one than it names", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    pair.server.reads(speech.invalidation(1005, 3));
    forget(pair);
    pair.session.turnTo("repair");
    answers(pair, stage, 1004);
    expect(pair.client.isPaused).toBe(true);
    stage.clock.move(10);
    answers(pair, stage, 1005);
    expect([pair.client.isPaused, pair.session.life]).toEqual([false, "registered"]);
  });

  it("asks again where the server tells of a later one before it answers", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    pair.session.turnTo("repair");
    const asked = pair.server.frames().at(-1) ?? Buffer.alloc(0);
    pair.server.reads(speech.invalidation(1005, 3));
    expect(pair.client.taken()).toEqual(speech.invalidation(1005, 3));
    pair.server.reads(speech.reply(speech.envelope(asked).id, eight(1004)));
    expect(pair.client.isPaused).toBe(true);
    stage.clock.move(10);
    answers(pair, stage, 1005);
    expect([pair.client.isPaused, pair.session.life]).toEqual([false, "registered"]);
  });

  it("that the server names nothing new is relayed in the end", () => {
    const stage = new Stage(protocol);
    const pair = stage.registered(1000, true);
    pair.server.reads(stage.speech.invalidation(1005, 3));
    forget(pair);
    pair.session.turnTo("repair");
    for (let times = 0; times < 100; times++) {
      answers(pair, stage, 1004);
      forget(pair);
      stage.clock.move(10);
    }
    expect([pair.session.life, pair.client.isPaused]).toEqual(["relayed", false]);
    expect(stage.happenings.at(-1)).toMatchObject({ what: "relayed", reason: "lost" });
  });

  it("is repaired from there on, and observed again where nothing is owed to it", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    const writer = stage.registered(1000);
    pair.session.turnTo("repair");
    answers(pair, stage, 1000);
    forget(pair);
    writer.client.reads(speech.creation(9, 5));
    forget(writer);
    pair.session.turnTo("observe");
    // New servers send a message, without oids.
    if (protocol !== "Z4") pair.server.reads(speech.invalidation(1001));
    // What the commit has changed is still to be told.
    expect(pair.session.isObserved).toBe(false);
    writer.server.reads(speech.reply(9, eight(1001)));
    if (protocol === "Z4") {
      stage.clock.move(1_000);
      answers(pair, stage, 1001);
    }
    expect(pair.client.taken()).toEqual(speech.invalidation(1001, 5));
    // It turns with what is read next.
    pair.server.reads(speech.invalidation(1002, 6));
    expect([pair.session.isObserved, pair.client.taken()]).toEqual([true, speech.invalidation(1002, 6)]);
    // The other one's is the only place that is left in its storage.
    expect(stage.storage.ledger.state.accounts.size).toBe(1);
  });

  it("whose register waits for the witness does not turn before it was forwarded", () => {
    const stage = new Stage(protocol, {
      witness: {
        of: () => () => ({
          progress: 0,
          ask: () => undefined,
          read: () => undefined,
          retry: () => undefined,
          stop: () => undefined,
        }),
        settings: { pollMs: 1e9, holdMs: 2_000 },
      },
    });
    const { speech } = stage;
    const pair = stage.shaken();
    pair.client.reads(speech.call(1, "register", "1", false));
    pair.session.turnTo("observe");
    expect([pair.session.isObserved, pair.server.taken()]).toEqual([false, Buffer.alloc(0)]);
    stage.clock.move(2_000);
    expect(pair.server.taken()).toEqual(speech.call(1, "register", "1", false));
    pair.server.reads(speech.welcome(1, 1000));
    expect(pair.session.isObserved).toBe(true);
  });
});

describe.each(PROTOCOLS)("whoever is to be observed and leaves before, %s", (protocol) => {
  it("stays an orphan until its commit is answered, whatever its server says before", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const other = stage.registered();
    const pair = stage.finishing(5);
    pair.session.turnTo("observe");
    pair.client.closes();
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(speech.invalidation(1001, 7).subarray(0, 9));
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(speech.invalidation(1001, 7).subarray(9));
    pair.server.reads(speech.reply(9, eight(1002)));
    expect([pair.session.life, stage.storage.ledger.facts.commits, other.session.life]).toEqual([
      "over",
      1,
      "registered",
    ]);
  });

  it("is told what it is owed where its server has ended, and then closed", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const writer = stage.finishing(5);
    const pair = stage.registered();
    pair.server.reads(speech.invalidation(1001, 7));
    expect(stage.said(pair)).toEqual([]);
    pair.session.turnTo("observe");
    pair.server.ends();
    expect(pair.session.life).toBe("draining");
    // It was left unread, so that nothing more is on its way.
    stage.clock.move(1_000);
    pair.client.reads(speech.call(7, "ping"));
    expect(pair.session.life).toBe("draining");
    writer.server.reads(speech.reply(9, eight(1001)));
    expect(pair.client.taken().length).toBeGreaterThan(0);
    expect(pair.session.life).toBe("over");
  });
});

describe.each(PROTOCOLS)("a session that joins its storage, %s", (protocol) => {
  it("forwards what its client has said meanwhile where it can't be followed in the end", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    pair.server.reads(speech.invalidation(1005, 3));
    pair.session.turnTo("repair");
    for (let times = 0; times < 100; times++) {
      answers(pair, stage, 1004);
      forget(pair);
      // The network has taken what waited for the server.
      if (times === 50) pair.server.drains();
      if (times === 50) pair.client.reads(speech.call(7, "ping").subarray(0, 6));
      if (times === 60) pair.client.reads(speech.call(7, "ping").subarray(6));
      if (times < 99) stage.clock.move(10);
    }
    stage.clock.move(10);
    expect([pair.session.life, pair.server.taken()]).toEqual(["relayed", speech.call(7, "ping")]);
  });

  it("knows what it was told in a message that had come in part when it asks again", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered(1000, true);
    pair.server.reads(speech.invalidation(1005, 3));
    forget(pair);
    pair.session.turnTo("repair");
    answers(pair, stage, 1004);
    const message = speech.invalidation(1006, 4);
    pair.server.reads(message.subarray(0, -3));
    stage.clock.move(10);
    pair.server.reads(message.subarray(-3));
    // The server tells of 1006 before it names it.
    answers(pair, stage, 1005);
    expect(pair.client.isPaused).toBe(true);
    stage.clock.move(10);
    answers(pair, stage, 1006);
    expect(pair.client.isPaused).toBe(false);
  });
});

describe("a session that was observed before it registered", () => {
  it("has as long for that as any other, once it is repaired", () => {
    const stage = new Stage("Z5");
    const pair = stage.shaken(true);
    stage.clock.move(HANDSHAKE_MS / 2);
    pair.session.turnTo("repair");
    expect([pair.session.life, pair.session.isNobody]).toEqual(["open", true]);
    stage.clock.move(HANDSHAKE_MS);
    expect([pair.session.life, ...stage.endings(pair)]).toEqual(["over", "not-registered by client"]);
  });
});

describe.each(["Z5", "M5"] as const)("what was made up, %s,", (protocol) => {
  it("is not told again by the server to who is observed since", () => {
    const stage = new Stage(protocol);
    const { speech } = stage;
    const pair = stage.registered();
    const writer = stage.finishing(5);
    writer.server.reads(speech.reply(9, eight(1001)));
    pair.client.reads(speech.call(7, "ping"));
    // The loop answers before it comes to the invalidation that it has queued.
    pair.server.reads(speech.reply(7, null));
    expect(pair.client.taken()).toEqual(Buffer.concat([speech.invalidation(1001, 5), speech.reply(7, null)]));
    pair.session.turnTo("observe");
    pair.server.reads(speech.invalidation(1001));
    expect([pair.session.isObserved, pair.client.taken()]).toEqual([false, Buffer.alloc(0)]);
    stage.clock.move(1_000);
    pair.client.reads(speech.call(8, "ping"));
    pair.server.reads(speech.reply(8, null));
    expect(pair.session.isObserved).toBe(true);
  });
});
