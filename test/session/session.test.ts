import { describe, expect, it } from "vitest";
import { frameOf } from "../proxy/peer.ts";
import { LIVES, type LifeName } from "./scenes.ts";
import { eight } from "./speech.ts";
import { Stage } from "./stage.ts";

const TLS = Buffer.from("160301", "hex");

describe("a server of a session", () => {
  it.each([
    ["has said nothing", false],
    ["has greeted", true],
    ["has greeted and ended", false],
    ["has greeted, and its session is over", false],
  ])("is alive, as far as anybody can tell: one that %s, %s", (how, isAlive) => {
    const stage = new Stage();
    const pair = stage.connected();
    expect(pair.session.isServerAlive).toBe(false);
    if (how !== "has said nothing") pair.server.reads(stage.speech.name);
    if (how.endsWith("ended")) pair.server.ends();
    if (how.endsWith("over")) pair.session.stop();
    expect(pair.session.isServerAlive).toBe(isAlive);
    stage.leave();
  });
});

describe("a stop", () => {
  it.each(Object.keys(LIVES) as LifeName[])("finds no vote where none was granted: %s", (life) => {
    const stage = new Stage();
    expect(LIVES[life](stage).pair.session.hasVoted).toBe(false);
    stage.leave();
  });

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
        late: 0,
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
    expect(stage.happenings.map(({ what }) => what)).not.toContain("relayed");
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

  it("is refused as the server's fault where that has greeted so, and the client answers with that name", () => {
    const stage = new Stage("Z5", { refuseUnknown: true });
    const pair = stage.connected();
    pair.server.reads(frameOf(Buffer.from("Z6")));
    expect(pair.session.life).toBe("shaking");
    pair.client.reads(frameOf(Buffer.from("Z6")));
    expect(stage.endings(pair)).toEqual(["unknown-protocol by server"]);
    const other = stage.connected();
    other.server.reads(frameOf(Buffer.from("Z6")));
    other.client.reads(frameOf(Buffer.from("Z7")));
    expect(stage.endings(other)).toEqual(["unknown-protocol by client"]);
    // A client of an older protocol chooses its own, and is repaired.
    const older = stage.connected();
    older.server.reads(frameOf(Buffer.from("Z6")));
    older.client.reads(frameOf(Buffer.from("Z5")));
    expect(older.session.life).toBe("open");
    stage.leave();
  });

  it("is refused in the same way where it has MACs, and a monitor never is", () => {
    const stage = new Stage("Z4", { refuseUnknown: true });
    const pair = stage.shaken();
    pair.client.reads(Buffer.from("80000004", "hex"));
    expect(stage.endings(pair)).toEqual(["unknown-protocol by client"]);
    expect(pair.server.taken()).toHaveLength(0);
    const other = stage.shaken();
    other.server.reads(Buffer.from("80000004", "hex"));
    expect(stage.endings(other)).toEqual(["unknown-protocol by server"]);
    expect(other.client.taken()).toHaveLength(0);
    const monitor = stage.connected();
    monitor.client.reads(frameOf(Buffer.from("ruok")));
    expect(monitor.session.life).toBe("relayed");
    expect(monitor.server.taken()).toEqual(frameOf(Buffer.from("ruok")));
    stage.leave();
  });
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

it("tells of a stream that ends inside a frame where it ended, and what would have been right there", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.registered();
  const before = Buffer.concat([speech.name, speech.call(1, "register", "1", false)]);
  pair.client.reads(speech.call(20, "ping").subarray(0, 15));
  pair.client.ends();
  expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
    end: {
      code: "truncated-frame",
      fault: "client",
      detail: "the end of the stream",
      expected: "the rest of a frame",
      offset: before.length + 15,
    },
  });
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
  expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
    end: { detail: "tpc_finish", expected: "a call behind the reply to register" },
  });
  other.server.reads(speech.invalidation(2000));
  expect(stage.said(other)).not.toEqual([]);
});

it("a register that fails ends its session where a call waits that was noted for its storage", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.registering();
  pair.client.reads(speech.call(2, "lastTransaction"));
  pair.server.reads(speech.raises(1, "ZODB.POSException.ReadOnlyError"));
  expect(stage.said(pair)).toEqual(["reply 1"]);
  expect(stage.endings(pair)).toEqual(["call-before-register by client"]);
  expect(pair.client.commands).toEqual(["end", "resume"]);
  expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
    end: { detail: "one that waits", expected: "no other call before the reply to register" },
  });
  stage.leave();
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
