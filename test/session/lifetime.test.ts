import { describe, expect, it, vi } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { LIVES } from "./scenes.ts";
import { eight } from "./speech.ts";
import { forget, HANDSHAKE_MS, Stage } from "./stage.ts";

const TLS = Buffer.from("160301", "hex");

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
      // What its client alone has begun says nothing of the server.
      expect(pair.session.tellsOutage).toBe(false);
      pair.server.reads(Buffer.from("x"));
      pair.client.reads(Buffer.from("x"));
      expect(pair.session.tellsOutage).toBe(tells);
      pair.server.ends();
      expect(pair.session.isServerOpen).toBe(false);
      stage.leave();
    }
    const stage = new Stage("Z4");
    const pair = stage.shaken();
    pair.client.reads(Buffer.from("80000004", "hex"), Buffer.alloc(24));
    expect(pair.session.tellsOutage).toBe(false);
    pair.server.reads(Buffer.from("x"));
    pair.client.reads(Buffer.from("x"));
    expect(pair.session.tellsOutage).toBe(true);
    stage.leave();
  });

  it("is told of once, though it closes the rest behind its half, and both are closed then", () => {
    for (const life of ["shaking", "open", "relayed"] as const) {
      const stage = new Stage();
      const { pair } = LIVES[life](stage);
      pair.server.ends();
      expect(pair.session.life).toBe(life);
      forget(pair);
      pair.server.closes();
      expect(pair.session.life).toBe("over");
      expect(pair.client.commands).toEqual(["resume"]);
      expect(stage.newsOf(pair).filter((news) => news === "server-ended")).toHaveLength(1);
      stage.leave();
    }
  });

  it("is no outage where its client has ended, or has gone from a tpc_finish on its way", () => {
    const stage = new Stage();
    const [ended, orphan] = [stage.registered(), stage.finishing()];
    ended.client.ends();
    orphan.client.closes();
    expect(orphan.session.life).toBe("orphan");
    expect([ended.session.tellsOutage, orphan.session.tellsOutage]).toEqual([false, false]);
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
    ["not to be read any more", "says nonsense", 1],
    ["closed by the server, which nobody could note", "ends and fails", 1],
  ] as const)(
    "%s: others verify at once, and once more when a vote is granted only if the server may still read it",
    (_, how, again) => {
      const stage = new Stage();
      const { speech } = stage;
      const [pair, other] = [stage.finishing(1), stage.registered()];
      if (how === "ends and fails") {
        const throws = vi.spyOn(stage.storage.ledger, "serverGone");
        for (let times = 0; times < 2; times++) {
          throws.mockImplementationOnce(() => {
            throw new RangeError("nobody has thought of this");
          });
        }
      }
      if (how === "breaks") pair.server.closes();
      else if (how === "says nonsense") pair.server.reads(speech.nonsense);
      else pair.server.ends();
      if (how === "ends and fails") for (const end of [pair.client, pair.server]) end.closes();
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
  it("goes on to a server that has spoken alone, and whose answer still comes", () => {
    const stage = new Stage();
    const pair = stage.connected();
    pair.server.reads(Buffer.from("HTTP/1.1 "));
    pair.client.ends();
    expect(pair.session.life).toBe("relayed");
    expect(pair.server.commands).toEqual(["end"]);
    pair.server.reads(Buffer.from("400 Bad Request"));
    expect(pair.client.taken().toString()).toBe("HTTP/1.1 400 Bad Request");
    stage.leave();
  });

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

describe("a client that has not ended", () => {
  it("is waited for behind the end of its server as long as anything may still go out to it", () => {
    const stage = new Stage();
    const { pair, other } = LIVES.draining(stage);
    stage.clock.move(100 * HANDSHAKE_MS);
    expect(pair.session.life).toBe("draining");
    other.server.reads(stage.speech.reply(9, eight(2000)));
    expect(pair.session.life).toBe("over");
    expect(stage.said(pair)).toEqual(["T2000 [5 1]"]);
    stage.leave();
  });
});

describe("an orphan", () => {
  it("is waited for without a clock, however its client has gone", () => {
    const stage = new Stage();
    const pair = stage.finishing();
    pair.client.ends();
    pair.client.closes();
    expect(pair.session.life).toBe("orphan");
    // Its storage looks once whether anything is owed.
    stage.clock.move(250);
    expect(stage.clock.pending).toEqual([]);
    stage.leave();
  });

  it("is over with the reply to its tpc_finish, whatever stands behind that", () => {
    const stage = new Stage();
    const pair = stage.finishing();
    pair.client.closes();
    pair.server.reads(Buffer.concat([stage.speech.reply(9, eight(2000)), stage.speech.nonsense]));
    expect(pair.session.life).toBe("over");
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is no client that has ended inside a frame: it was given up before", () => {
    const stage = new Stage();
    const pair = stage.finishing();
    pair.client.reads(stage.speech.call(70, "loadEx", eight(1)).subarray(0, 30));
    pair.session.stop();
    expect(pair.session.life).toBe("orphan");
    pair.client.ends();
    expect(stage.endings(pair)).toEqual([]);
    expect(pair.client.commands).not.toContain("destroy");
    stage.leave();
  });
});

describe("what lingers", () => {
  it("is not ended once more by a client that takes nothing", () => {
    const stage = new Stage("Z5", { limits: { stalledMs: 2000 } });
    const pair = stage.registered();
    pair.client.sticks();
    pair.server.reads(stage.speech.tell("info", new Map()));
    pair.session.stop();
    stage.clock.move(4_999);
    expect(stage.endings(pair)).toEqual([]);
    expect(pair.client.commands).toEqual(["end", "resume"]);
    stage.leave();
  });

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

  it("leaves no commit on its way where it comes when the server has closed", () => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(1), stage.registered()];
    vi.spyOn(stage.storage.ledger, "serverGone").mockImplementationOnce(() => {
      throw new RangeError("nobody has thought of this");
    });
    pair.server.closes();
    expect(stage.endings(pair)).toEqual(["internal-error by proxy"]);
    expect(stage.endings(other)).toEqual(["unknown-commit by server"]);
    stage.leave();
  });

  it.each([
    ["of one end", false],
    ["of both", true],
  ])("leaves no commit on its way, however often it comes: others wait for nobody behind both ends, %s", (_, both) => {
    const stage = new Stage();
    const [pair, other] = [stage.finishing(1), stage.registered()];
    const { ledger } = stage.storage;
    if (both) {
      vi.spyOn(ledger, "clientGone").mockImplementation((session) => {
        if (session !== 1) return;
        throw new RangeError("nobody has thought of this");
      });
    }
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
