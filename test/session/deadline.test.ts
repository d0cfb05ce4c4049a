import { describe, expect, it } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { LIVES } from "./scenes.ts";
import { eight } from "./speech.ts";
import { forget, HANDSHAKE_MS, Stage, type Pair } from "./stage.ts";

const TLS = Buffer.from("160301", "hex");

describe("a server that has accepted", () => {
  it("and says nothing for limits.handshake is told of once, where it is known to greet", () => {
    const stage = new Stage();
    const pair = stage.connected();
    stage.clock.move(HANDSHAKE_MS - 1);
    expect(stage.newsOf(pair)).toEqual([]);
    stage.clock.move(1);
    expect(stage.newsOf(pair)).toEqual(["server-silent"]);
    // Its client has waited for it: it is not to blame.
    expect(stage.endings(pair)).toEqual([]);
    stage.clock.move(10 * HANDSHAKE_MS);
    expect(stage.newsOf(pair)).toEqual(["server-silent"]);
    stage.leave();
  });

  it.each([
    "says a byte",
    "ends",
    "closes",
    "has a client with an unknown protocol",
    "has a client that leaves",
    "is not known to greet",
  ])("and %s is not silent", (how) => {
    const stage = new Stage();
    const pair = stage.connected();
    if (how === "says a byte") pair.server.reads(Buffer.alloc(1));
    else if (how === "ends") pair.server.ends();
    else if (how === "closes") pair.server.closes();
    else if (how === "has a client that leaves") pair.client.closes();
    else if (how === "is not known to greet") stage.serverGreets = false;
    else pair.client.reads(frameOf(Buffer.from("Z6")));
    stage.clock.move(2 * HANDSHAKE_MS);
    expect(stage.newsOf(pair)).not.toContain("server-silent");
    stage.leave();
  });

  it("and speaks before its client does is told of", () => {
    const stage = new Stage();
    const [greeted, other] = [stage.connected(), stage.connected()];
    greeted.server.reads(stage.speech.name);
    other.client.reads(stage.speech.name);
    other.server.reads(stage.speech.name);
    expect(stage.newsOf(greeted)).toEqual(["greeted"]);
    expect(stage.newsOf(other)).toEqual([]);
    stage.leave();
  });
});

describe("a client that has not registered within limits.handshake", () => {
  const LATE = "not-registered by client";

  it.each([
    ["has said nothing", "shaking"],
    ["has said half a name", "shaking"],
    ["has named its protocol", "open"],
    ["calls, and does not register", "open"],
    ["was refused its register", "open"],
  ] as const)("is ended, with both connections: it %s", (how, life) => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = how === "was refused its register" ? stage.registering() : stage.connected();
    if (how === "was refused its register") {
      stage.clock.move(HANDSHAKE_MS / 2);
      pair.server.reads(speech.raises(1, "ZODB.POSException.StorageError"));
    } else {
      pair.server.reads(speech.name);
      if (how === "has said half a name") pair.client.reads(speech.name.subarray(0, 5));
      else if (how !== "has said nothing") pair.client.reads(speech.name);
      if (how === "calls, and does not register") pair.client.reads(speech.call(1, "lastTransaction"));
    }
    expect(pair.session.life).toBe(life);
    stage.clock.move(HANDSHAKE_MS - 1);
    expect(stage.endings(pair)).toEqual([]);
    stage.clock.move(1);
    expect(stage.endings(pair)).toEqual([LATE]);
    expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
      end: { detail: life, expected: "register" },
    });
    expect([pair.client.commands.at(-1), pair.server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
    stage.leave();
  });

  it("is given no more time for what it says meanwhile", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [named, relayed] = [stage.connected(), stage.connected()];
    named.server.reads(speech.name);
    relayed.client.reads(TLS);
    for (let part = 0; part < 3; part++) {
      stage.clock.move(HANDSHAKE_MS / 4);
      if (part === 0) named.client.reads(speech.name);
      else named.client.reads(speech.call(part, "ping"));
      relayed.client.reads(Buffer.from("x"));
    }
    stage.clock.move(HANDSHAKE_MS / 4);
    expect([stage.endings(named), stage.endings(relayed)]).toEqual([[LATE], [LATE]]);
    stage.leave();
  });

  it("is not one that has registered, whatever it does then: nothing", () => {
    const stage = new Stage();
    const [pair, registering] = [stage.registered(), stage.registering()];
    stage.clock.move(100 * HANDSHAKE_MS);
    expect([pair.session.life, registering.session.life]).toEqual(["registered", "registered"]);
    stage.leave();
  });

  it.each([TLS, frameOf(Buffer.from("Z6"))])("is one that is relayed, and that nobody goes on with", (first) => {
    for (const [answers, goesOn] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ]) {
      const stage = new Stage();
      const pair = stage.connected();
      pair.client.reads(first);
      if (answers === true) pair.server.reads(Buffer.from("x"));
      if (goesOn === true) pair.client.reads(Buffer.from("x"));
      stage.clock.move(10 * HANDSHAKE_MS);
      const isUsed = answers === true && goesOn === true;
      expect(stage.endings(pair)).toEqual(isUsed ? [] : [LATE]);
      expect(pair.session.life).toBe(isUsed ? "relayed" : "over");
      stage.leave();
    }
  });

  it("and whose server has closed its half is let go without a word of the proxy's", () => {
    for (const life of ["shaking", "open"] as const) {
      const stage = new Stage();
      const { pair } = LIVES[life](stage);
      stage.clock.move(HANDSHAKE_MS / 2);
      pair.server.ends();
      stage.clock.move(HANDSHAKE_MS / 2);
      expect(pair.session.life).toBe("over");
      expect(pair.client.commands.at(-1)).toBe("destroy");
      expect(stage.endings(pair)).toEqual([]);
      stage.leave();
    }
  });

  it("and has closed its half is waited for less than a second, whatever its server does", () => {
    for (const life of ["shaking", "open"] as const) {
      const stage = new Stage();
      const pair = life === "open" ? stage.shaken() : stage.connected();
      if (life === "shaking") pair.client.reads(stage.speech.name);
      pair.client.ends();
      stage.clock.move(899);
      expect(pair.session.life).toBe(life);
      stage.clock.move(1);
      expect(pair.session.life).toBe("over");
      expect([pair.client.commands.at(-1), pair.server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
      stage.leave();
    }
  });

  it("and has closed its half behind its register is registered", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = stage.connected();
    pair.client.reads(Buffer.concat([speech.name, speech.call(1, "register", "1", false)]));
    pair.client.ends();
    pair.server.reads(speech.name);
    stage.clock.move(4_999);
    expect(pair.session.life).toBe("registered");
    stage.clock.move(1);
    expect(pair.session.life).toBe("over");
    stage.leave();
  });
});

describe("a relayed connection that is in use", () => {
  it("and whose server has closed its half is closed, if its client goes on as if nothing had happened", () => {
    const stage = new Stage();
    const pair = stage.connected();
    pair.client.reads(TLS);
    pair.server.reads(Buffer.from("x"));
    pair.client.reads(Buffer.from("x"));
    stage.clock.move(100 * HANDSHAKE_MS);
    pair.server.ends();
    stage.clock.move(HANDSHAKE_MS / 2);
    pair.client.reads(Buffer.from("x"));
    stage.clock.move(HANDSHAKE_MS / 2 - 1);
    expect(pair.client.commands).toEqual(["end"]);
    stage.clock.move(1);
    expect(pair.session.life).toBe("over");
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });
});

describe("a client that has closed its half, behind a server that hangs", () => {
  const GONE = ["destroy", "destroy"];
  const last = ({ client, server }: Pair): unknown[] => [client.commands.at(-1), server.commands.at(-1)];

  it.each(["registering", "registered", "holding"] as const)("is let go in 5 s: %s", (life) => {
    const stage = new Stage();
    const { pair } = LIVES[life](stage);
    pair.client.ends();
    stage.clock.move(4_999);
    expect(pair.session.life).toBe("registered");
    stage.clock.move(1);
    expect(pair.session.life).toBe("over");
    expect(last(pair)).toEqual(GONE);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is an orphan then with a tpc_finish on its way: the reply is still read, and others are told", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(), stage.registered()];
    pair.client.ends();
    stage.clock.move(5_000);
    expect(pair.session.life).toBe("orphan");
    expect(pair.client.commands).toEqual(["destroy"]);
    pair.client.settles();
    stage.clock.move(100_000);
    expect(pair.session.life).toBe("orphan");
    expect(pair.server.commands).toEqual([]);
    pair.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.session.life).toBe("over");
    other.server.reads(stage.speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("is served as long as the server says something, or either end takes something", () => {
    const stage = new Stage();
    const pair = stage.registered();
    const { speech } = stage;
    pair.client.ends();
    const moves = [
      () => pair.server.reads(speech.reply(20, null)),
      () => pair.client.takes(),
      () => pair.server.takes(),
      () => pair.server.reads(speech.reply(21, null)),
    ];
    for (const moved of moves) {
      stage.clock.move(4_000);
      moved();
      stage.clock.move(1_000);
      expect(pair.session.life).toBe("registered");
    }
    expect(stage.said(pair)).toEqual(["reply 20", "reply 21"]);
    stage.clock.move(5_000);
    expect(pair.session.life).toBe("over");
    expect(last(pair)).toEqual(GONE);
    stage.leave();
  });

  it("is served, too, where only the system sees that either end takes something", () => {
    for (const end of ["client", "server"] as const) {
      const stage = new Stage();
      const pair = stage.registered();
      pair[end].seen = { unacknowledged: 100, hasLeft: false };
      pair.client.ends();
      for (let unacknowledged = 99; unacknowledged > 90; unacknowledged--) {
        pair[end].seen = { unacknowledged, hasLeft: false };
        stage.clock.move(5_000);
        expect(pair.session.life).toBe("registered");
      }
      stage.clock.move(5_000);
      expect(pair.session.life).toBe("over");
      stage.leave();
    }
  });

  it("is not let go twice, or for what the system tells when it is over", () => {
    const stage = new Stage();
    const pair = stage.registered();
    pair.client.answersLater();
    pair.client.ends();
    stage.clock.move(5_000);
    pair.session.stop();
    forget(pair);
    pair.client.answers(undefined);
    expect([pair.client.commands, pair.server.commands]).toEqual([[], []]);
    stage.leave();
  });

  it("is let go, too, while it waits for others' commits behind the end of its own server", () => {
    for (const first of ["client", "server"] as const) {
      const stage = new Stage();
      const { pair } = LIVES.holding(stage);
      pair[first].ends();
      pair[first === "client" ? "server" : "client"].ends();
      expect(pair.session.life).toBe("draining");
      stage.clock.move(5_000);
      expect(pair.session.life).toBe("over");
      expect(pair.client.commands.at(-1)).toBe("destroy");
      stage.leave();
    }
  });

  it.each(["before it is in use", "while it is in use"])("is let go where bytes are relayed: %s", (when) => {
    const stage = new Stage();
    const pair = stage.connected();
    pair.client.reads(TLS);
    if (when === "while it is in use") {
      pair.server.reads(Buffer.from("x"));
      pair.client.reads(Buffer.from("x"));
      pair.client.ends();
    } else {
      pair.client.reads(Buffer.from("x"));
      pair.client.ends();
      stage.clock.move(500);
      // Now both have said something.
      pair.server.reads(Buffer.from("x"));
    }
    stage.clock.move(4_999);
    expect(pair.session.life).toBe("relayed");
    stage.clock.move(1);
    expect(pair.session.life).toBe("over");
    expect(last(pair)).toEqual(GONE);
    stage.leave();
  });

  it("is let go in less than a second when it turns out that it is not registered", () => {
    const stage = new Stage();
    const pair = stage.registering();
    pair.client.ends();
    pair.server.reads(stage.speech.raises(1, "ReadOnlyError"));
    expect(pair.session.life).toBe("open");
    stage.clock.move(900);
    expect(pair.session.life).toBe("over");
    stage.leave();
  });
});
