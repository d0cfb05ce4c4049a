import { describe, expect, it, vi } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { LIVES, type LifeName } from "./scenes.ts";
import { eight } from "./speech.ts";
import { forget, HANDSHAKE_MS, Stage } from "./stage.ts";

const TLS = Buffer.from("160301", "hex");

describe("a server that has accepted", () => {
  it("and says nothing for limits.handshake is told of once", () => {
    const stage = new Stage();
    const pair = stage.connected();
    stage.clock.move(HANDSHAKE_MS - 1);
    expect(stage.newsOf(pair)).toEqual([]);
    stage.clock.move(1);
    expect(stage.newsOf(pair)).toEqual(["server-silent"]);
    stage.clock.move(10 * HANDSHAKE_MS);
    expect(stage.newsOf(pair)).toEqual(["server-silent"]);
    stage.leave();
  });

  it.each(["says a byte", "ends", "closes", "has a client with an unknown protocol", "has a client that leaves"])(
    "and %s is not silent",
    (how) => {
      const stage = new Stage();
      const pair = stage.connected();
      if (how === "says a byte") pair.server.reads(Buffer.alloc(1));
      else if (how === "ends") pair.server.ends();
      else if (how === "closes") pair.server.closes();
      else if (how === "has a client that leaves") pair.client.closes();
      else pair.client.reads(frameOf(Buffer.from("Z6")));
      stage.clock.move(2 * HANDSHAKE_MS);
      expect(stage.newsOf(pair)).not.toContain("server-silent");
      stage.leave();
    },
  );

  it("and has answered a client that spoke first is told of, for TLS alone", () => {
    const stage = new Stage();
    const [tls, other] = [stage.connected(), stage.connected()];
    tls.client.reads(TLS);
    other.client.reads(frameOf(Buffer.from("Z6")));
    expect(stage.newsOf(tls)).toEqual([]);
    for (const { server } of [tls, other]) server.reads(Buffer.from("x"));
    expect(stage.newsOf(tls)).toEqual(["first-word-answered"]);
    expect(stage.newsOf(other)).toEqual([]);
    stage.leave();
  });
});

describe("the end of a server's connection", () => {
  it.each([
    ["shaking", false],
    ["open", false],
    ["registering", true],
    ["registered", true],
    ["holding", true],
    ["finishing", true],
    ["relayed", false],
  ] as const)("may be an outage: while its session is %s, %s", (life, tells) => {
    const stage = new Stage();
    const { pair } = LIVES[life](stage);
    expect(pair.session.tellsOutage).toBe(tells);
    expect(pair.session.isServerOpen).toBe(true);
    stage.leave();
  });

  it("may be one, too, behind TLS and MACs, not behind a monitor", () => {
    for (const [first, tells] of [
      [TLS, true],
      [frameOf(Buffer.from("ruok")), false],
    ] as const) {
      const stage = new Stage();
      const pair = stage.connected();
      pair.client.reads(first);
      expect(pair.session.life).toBe("relayed");
      expect(pair.session.tellsOutage).toBe(tells);
      pair.server.ends();
      expect(pair.session.isServerOpen).toBe(false);
      stage.leave();
    }
    const stage = new Stage("Z4");
    const pair = stage.shaken();
    pair.client.reads(Buffer.from("80000004", "hex"), Buffer.alloc(24));
    expect(pair.session.tellsOutage).toBe(true);
    stage.leave();
  });

  it("is not told of when the client has ended first, by its half or by a reset", () => {
    for (const how of ["half", "reset"]) {
      const stage = new Stage();
      const pair = stage.registered();
      if (how === "half") pair.client.ends();
      else pair.client.closes();
      pair.server.ends();
      expect(stage.newsOf(pair)).not.toContain("server-ended");
      stage.leave();
    }
  });
});

describe("a server's connection that ends with a tpc_finish on its way", () => {
  it.each([
    ["closed by the server", "ends", 0],
    ["broken", "breaks", 1],
  ] as const)(
    "%s: others verify at once, and once more when a vote is granted only if the server may still read it",
    (_, how, again) => {
      const stage = new Stage();
      const { speech } = stage;
      const [pair, other] = [stage.finishing(1), stage.registered()];
      if (how === "ends") pair.server.ends();
      else pair.server.closes();
      expect(stage.endings(other)).toEqual(["unknown-commit by server"]);
      const [back, voter] = [stage.registered(), stage.registered()];
      voter.client.reads(speech.begin(8), speech.call(30, "vote", 8));
      voter.server.reads(speech.reply(30, []));
      expect(stage.endings(back)).toHaveLength(again);
      stage.leave();
    },
  );
});

describe("what a client has begun to say when its server's connection ends", () => {
  it("counts for nothing: only what is held goes out", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    pair.server.reads(speech.invalidation(2000));
    pair.client.reads(speech.call(20, "loadEx", eight(1)).subarray(0, 30));
    pair.server.ends();
    pair.client.ends();
    expect(pair.session.life).toBe("draining");
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]"]);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });
});

describe("a client's half-close", () => {
  it("goes on to the server behind the reply to its last tpc_finish, which still comes", () => {
    const stage = new Stage();
    const pair = stage.finishing();
    pair.client.reads(stage.speech.creation(10, 2));
    pair.client.ends();
    forget(pair);
    pair.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual([]);
    pair.server.reads(stage.speech.reply(10, eight(2001)));
    expect(pair.server.commands).toEqual(["end"]);
    expect(stage.said(pair)).toEqual(["reply 9", "reply 10"]);
    pair.server.ends();
    expect(pair.session.life).toBe("over");
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("leaves the other way open", () => {
    const stage = new Stage();
    const pair = stage.registered();
    pair.client.reads(stage.speech.call(20, "ping"));
    pair.client.ends();
    pair.server.reads(stage.speech.reply(20, null));
    expect(stage.said(pair)).toEqual(["reply 20"]);
    stage.leave();
  });

  it("and the server's, one behind the other, close both, also before anyone has registered", () => {
    for (const first of ["client", "server"] as const) {
      const stage = new Stage();
      const pair = stage.shaken();
      const other = first === "client" ? "server" : "client";
      pair[first].ends();
      expect(pair[other].commands).toEqual(["end"]);
      pair[other].ends();
      expect(pair[first].commands).toEqual(["end"]);
      for (const end of [pair.client, pair.server]) end.closes();
      expect(stage.newsOf(pair)).toContain("closed");
      stage.leave();
    }
  });
});

describe("what lingers", () => {
  it("is destroyed after a while, and its bytes count for nothing", () => {
    const stage = new Stage();
    const pair = stage.registered();
    pair.session.stop();
    forget(pair);
    pair.client.reads(stage.speech.call(20, "ping"));
    pair.server.reads(stage.speech.tell("info", new Map()));
    expect(pair.client.taken()).toHaveLength(0);
    expect(pair.server.taken()).toHaveLength(0);
    stage.clock.move(5_000);
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.server.commands).toEqual(["destroy"]);
    stage.leave();
  });

  it("is the server connection of an orphan, whose reply is read all the same", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(), stage.registered()];
    pair.session.stop();
    expect(pair.session.life).toBe("orphan");
    pair.client.settles();
    pair.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.session.life).toBe("over");
    other.server.reads(stage.speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [1]"]);
    stage.leave();
  });
});

describe("a stop", () => {
  it("asks whether a vote was granted that is neither finished nor aborted", () => {
    const stage = new Stage();
    const pair = stage.registered();
    const { speech } = stage;
    pair.client.reads(speech.begin(9), speech.store(9, 1), speech.call(30, "vote", 9));
    expect(pair.session.hasVoted).toBe(false);
    pair.server.reads(speech.reply(30, []));
    expect(pair.session.hasVoted).toBe(true);
    pair.client.reads(speech.finish(9));
    expect(pair.session.hasVoted).toBe(false);
    stage.leave();
  });

  it.each<[LifeName, boolean]>([
    ["shaking", true],
    ["open", true],
    ["registered", true],
    ["holding", false],
    ["finishing", false],
    ["draining", false],
    ["orphan", false],
    ["given up", false],
    ["relayed", true],
    ["over", true],
  ])("asks whether all is settled: in a session that is %s, %s", (life, isSettled) => {
    const stage = new Stage();
    const { pair } = LIVES[life](stage);
    expect(pair.session.isSettled).toBe(isSettled);
    stage.leave();
  });

  it("waits for what is written and has not left, and not for a client that was given up", () => {
    const stage = new Stage();
    const pair = stage.registered();
    pair.client.sticks();
    pair.server.reads(stage.speech.tell("info", new Map()));
    expect(pair.session.isSettled).toBe(false);
    pair.session.stop();
    expect(pair.session.isSettled).toBe(true);
    stage.leave();
  });
});

describe("a session that is closed", () => {
  it("is told of with what it was", () => {
    const stage = new Stage();
    const other = stage.finishing();
    const pair = stage.registered();
    const { speech } = stage;
    pair.server.reads(speech.invalidation(2000, 5));
    other.server.reads(speech.reply(9, eight(2000)));
    stage.clock.move(1234);
    const toServer = [speech.name, speech.call(1, "register", "1", false)];
    const toClient = [speech.name, speech.welcome(1, 1000), speech.invalidation(2000, 5)];
    stage.leave();
    expect(stage.happenings.filter(({ what }) => what === "closed")[1]).toEqual({
      what: "closed",
      upstream: "main",
      client: "client:2",
      facts: {
        protocol: "Z5",
        storage: "1",
        fromClient: Buffer.concat(toServer).length,
        fromServer: Buffer.concat(toClient).length,
        completed: 1,
        synthesized: 0,
        durationMs: 1234,
      },
    });
  });

  it("was opened, and nothing is told in between where nothing happens", () => {
    const stage = new Stage();
    stage.registered();
    stage.leave();
    expect(stage.happenings.map(({ what }) => what)).toEqual(["opened", "closed"]);
  });
});

describe("what can't be repaired", () => {
  it("is relayed both ways, told once, and not counted against anybody", () => {
    const stage = new Stage();
    const pair = stage.connected();
    pair.client.reads(TLS, Buffer.from("to the server"));
    pair.server.reads(Buffer.from("to the client"));
    expect(pair.server.taken()).toEqual(Buffer.concat([TLS, Buffer.from("to the server")]));
    expect(pair.client.taken()).toEqual(Buffer.from("to the client"));
    expect(stage.happenings.filter(({ what }) => what === "relayed")).toMatchObject([{ reason: "tls" }]);
    stage.leave();
  });

  it.each([
    ["tls", TLS],
    ["unknown-protocol", frameOf(Buffer.from("Z6"))],
  ] as const)("is refused where the configuration says so: %s", (reason, bytes) => {
    const stage = new Stage("Z5", { refuseUnknown: true });
    const pair = stage.connected();
    pair.client.reads(bytes);
    expect(pair.session.life).toBe("over");
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.server.taken()).toHaveLength(0);
    expect(stage.endings(pair)).toEqual(["unknown-protocol by client"]);
    expect(stage.happenings).toContainEqual(
      expect.objectContaining({ what: "ended", end: expect.objectContaining({ detail: reason }) }),
    );
    stage.leave();
  });

  it("is refused as the fault of whoever speaks so, the server too", () => {
    const stage = new Stage("Z5", { refuseUnknown: true });
    const pair = stage.connected();
    pair.server.reads(Buffer.from("HTTP/1.1 400 Bad Request\r\n"));
    expect(stage.endings(pair)).toEqual(["unknown-protocol by server"]);
    expect(pair.client.taken()).toHaveLength(0);
    stage.leave();
  });

  it("is refused in the same way where it has MACs, and a monitor never is", () => {
    const stage = new Stage("Z4", { refuseUnknown: true });
    const pair = stage.shaken();
    pair.client.reads(Buffer.from("80000004", "hex"));
    expect(stage.endings(pair)).toEqual(["unknown-protocol by client"]);
    expect(pair.server.taken()).toHaveLength(0);
    const monitor = stage.connected();
    monitor.client.reads(frameOf(Buffer.from("ruok")));
    expect(monitor.session.life).toBe("relayed");
    expect(monitor.server.taken()).toEqual(frameOf(Buffer.from("ruok")));
    stage.leave();
  });
});

describe("an error that nobody has foreseen", () => {
  it("is told as the proxy's own fault, and ends that session alone", () => {
    const stage = new Stage();
    const [pair, other] = [stage.registered(), stage.registered()];
    stage.storage.ledger.lastTransactionReply = () => {
      throw new RangeError("nobody has thought of this");
    };
    pair.client.reads(stage.speech.call(20, "lastTransaction"));
    pair.server.reads(stage.speech.reply(20, eight(1000)));
    expect(stage.endings(pair)).toEqual(["internal-error by proxy"]);
    expect(other.session.life).toBe("registered");
    stage.leave();
  });

  it("also where ending the session throws, too: both connections are destroyed", () => {
    const stage = new Stage();
    const pair = stage.registered();
    const throws = (): never => {
      throw new RangeError("nobody has thought of this");
    };
    stage.storage.ledger.lastTransactionReply = throws;
    stage.storage.ledger.clientGone = throws;
    pair.client.reads(stage.speech.call(20, "lastTransaction"));
    forget(pair);
    pair.server.reads(stage.speech.reply(20, eight(1000)));
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.server.commands).toEqual(["destroy"]);
  });

  it("ends no other session either where it comes while one is ended for another's commit", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, bad, good] = [stage.finishing(), stage.registered(), stage.registered()];
    for (const { server } of [bad, good]) server.reads(speech.invalidation(2000, 5));
    const throws = (): never => {
      throw new RangeError("nobody has thought of this");
    };
    vi.spyOn(bad.client, "write").mockImplementation(throws);
    vi.spyOn(stage.storage.ledger, "clientGone").mockImplementationOnce(throws);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(other)).toEqual([]);
    expect(stage.said(other)).toEqual(["reply 9"]);
    expect(stage.said(good)).toEqual(["T2000 [5 1]"]);
    for (const end of [bad.client, bad.server]) expect(end.commands).toContain("destroy");
    stage.leave();
  });

  it("leaves no commit on its way, however often it comes: behind both ends others wait for nobody", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(1), stage.registered()];
    const { ledger } = stage.storage;
    const serverGone = vi.spyOn(ledger, "serverGone");
    for (let times = 0; times < 2; times++) {
      serverGone.mockImplementationOnce(() => {
        throw new RangeError("nobody has thought of this");
      });
    }
    pair.server.ends();
    expect(stage.endings(other)).toEqual([]);
    expect(pair.client.commands).toContain("destroy");
    expect(pair.server.commands).toContain("destroy");
    for (const end of [pair.client, pair.server]) end.closes();
    expect(stage.endings(other)).toEqual(["unknown-commit by server"]);
    stage.leave();
  });
});

it("why a server can't be followed any more is told before what that leads to for the others", () => {
  const stage = new Stage();
  const [pair, other] = [stage.finishing(1), stage.registered()];
  pair.server.reads(stage.speech.nonsense);
  const ends = stage.happenings.flatMap((one) => (one.what === "ended" ? [[one.client, one.end]] : []));
  expect(ends).toMatchObject([
    [pair.client.peer, { code: "bad-pickle", fault: "server" }],
    [other.client.peer, { code: "unknown-commit", fault: "server" }],
  ]);
  // No tid is known that it is about.
  expect(ends[1]?.[1]).not.toHaveProperty("detail");
  stage.leave();
});

it("tells where in the stream of the one at fault the bytes are", () => {
  const stage = new Stage();
  const pair = stage.registered();
  const { speech } = stage;
  const before = [speech.name, speech.call(1, "register", "1", false), speech.call(20, "ping")];
  pair.client.reads(Buffer.concat([speech.call(20, "ping"), speech.nonsense]));
  const ended = stage.happenings.find(({ what }) => what === "ended");
  expect(ended).toMatchObject({ storage: "1", end: { offset: Buffer.concat(before).length + 4 } });
  stage.leave();
});

it("what the server has said behind its name, before the client named itself, is the server's", () => {
  const stage = new Stage();
  const pair = stage.connected();
  pair.server.reads(Buffer.concat([stage.speech.name, stage.speech.nonsense]));
  pair.client.reads(stage.speech.name);
  expect(stage.endings(pair)).toEqual(["bad-pickle by server"]);
});

it("what the client has said behind its name before the server greeted is the client's, and is no limbo", () => {
  const stage = new Stage();
  const { speech } = stage;
  const other = stage.registered();
  const pair = stage.connected();
  const register = speech.call(1, "register", "1", false);
  pair.client.reads(Buffer.concat([speech.name, register, speech.nonsense]));
  pair.server.reads(speech.name);
  expect(stage.endings(pair)).toEqual(["bad-pickle by client"]);
  expect(stage.endings(other)).toEqual([]);
});

it("what a client says behind its name and then half-closes, all before the greeting, reaches the server", () => {
  const stage = new Stage();
  const pair = stage.connected();
  const said = Buffer.concat([stage.speech.name, stage.speech.call(1, "ping")]);
  pair.client.reads(said);
  pair.client.ends();
  pair.server.reads(stage.speech.name);
  expect(pair.server.taken()).toEqual(said);
  expect(pair.server.commands).toEqual(["end"]);
});

it("quiesce() while a client lingers does not keep its end from being read", () => {
  const stage = new Stage();
  const pair = stage.registered();
  pair.session.stop();
  pair.session.quiesce();
  pair.session.stop();
  expect(pair.client.isPaused).toBe(false);
});

it("a commit before the reply to register ends its session, and is not forwarded", () => {
  const stage = new Stage();
  const { speech } = stage;
  const other = stage.registered();
  const pair = stage.shaken();
  pair.client.reads(speech.call(1, "register", "1", false), speech.creation(9, 1));
  expect(stage.endings(pair)).toEqual(["call-before-register by client"]);
  other.server.reads(speech.invalidation(2000));
  expect(stage.said(other)).not.toEqual([]);
});

it("a second register beside the first ends its session", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.shaken();
  pair.client.reads(speech.call(1, "register", "1", false), speech.call(2, "register", "2", false));
  expect(stage.endings(pair)).toEqual(["call-before-register by client"]);
});

it("a tpc_finish whose message id is in use is not noted: nobody waits for it", () => {
  const stage = new Stage();
  const { speech } = stage;
  const other = stage.registered();
  const pair = stage.registered();
  pair.client.reads(speech.call(9, "ping"), speech.creation(9, 1));
  expect(stage.endings(pair)).toEqual(["id-in-use by client"]);
  other.server.reads(speech.invalidation(2000));
  expect(stage.said(other)).not.toEqual([]);
});

it("a client that registers behind its server's end is in no storage", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.shaken();
  pair.server.ends();
  pair.client.reads(speech.call(1, "register", "1", false));
  expect(pair.session.life).toBe("open");
  pair.server.closes();
  pair.client.closes();
  expect(pair.session.life).toBe("over");
});
