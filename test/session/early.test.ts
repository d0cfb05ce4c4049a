import { describe, expect, it } from "vitest";
import { eight, type Speech } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

const PROTOCOLS = ["Z4", "Z5", "M5"];

/** The pieces of every way to cut the bytes in two, and all of them one by one. */
function cuts(bytes: Buffer): Buffer[][] {
  const two = Array.from({ length: bytes.length }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  return [...two.map((pieces) => pieces.filter(({ length }) => length > 0)), [...bytes].map((byte) => Buffer.of(byte))];
}

describe("what is said up to the reply to register", () => {
  it.each(PROTOCOLS)("passes unchanged wherever the client's bytes are cut: %s", (protocol) => {
    const { speech } = new Stage(protocol);
    const register = speech.call(2, "register", "1", false);
    const said = Buffer.concat([
      speech.name,
      speech.call(1, "getAuthProtocol"),
      speech.reply(-1, null),
      register,
      speech.call(3, "lastTransaction"),
      speech.begin(7),
    ]);
    for (const pieces of cuts(said)) {
      const stage = new Stage(protocol);
      const pair = stage.connected();
      pair.server.reads(speech.name);
      pair.client.reads(...pieces);
      expect(pair.server.taken().equals(said)).toBe(true);
      expect(pair.session.life).toBe("registered");
      pair.server.reads(speech.reply(1, null), speech.welcome(2, 1000));
      expect([...stage.storages.all()].map(({ name }) => name)).toEqual(["1"]);
      stage.leave();
    }
  });

  it.each(PROTOCOLS)("passes unchanged wherever the server's bytes are cut: %s", (protocol) => {
    const { speech } = new Stage(protocol);
    const said = Buffer.concat([
      speech.name,
      speech.reply(1, null),
      speech.welcome(2, 1000),
      speech.reply(3, eight(1000)),
      speech.tell("info", new Map()),
    ]);
    for (const pieces of cuts(said)) {
      const stage = new Stage(protocol);
      const pair = stage.connected();
      pair.client.reads(
        Buffer.concat([
          speech.name,
          speech.call(1, "getAuthProtocol"),
          speech.call(2, "register", "1", false),
          speech.call(3, "lastTransaction"),
        ]),
      );
      pair.server.reads(...pieces);
      expect(pair.client.taken().equals(said)).toBe(true);
      expect(pair.session.life).toBe("registered");
      stage.leave();
    }
  });
});

describe("what is said before register", () => {
  it.each(PROTOCOLS)("passes unchanged wherever the server's bytes are cut: %s", (protocol) => {
    const { speech } = new Stage(protocol);
    const said = Buffer.concat([speech.reply(1, null), speech.tell("info", new Map()), speech.reply(2, null)]);
    for (const pieces of cuts(said)) {
      const stage = new Stage(protocol);
      const pair = stage.shaken();
      pair.client.reads(speech.call(1, "getAuthProtocol"), speech.call(2, "getAuthProtocol"));
      pair.server.reads(...pieces);
      expect(pair.client.taken().equals(said)).toBe(true);
      expect(stage.endings(pair)).toEqual([]);
      stage.leave();
    }
  });

  it("is counted while it waits for a reply: a call, and nothing else", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = stage.shaken();
    pair.client.reads(speech.reply(-1, null), speech.tell("ping"));
    expect(pair.session.openCalls).toBe(0);
    pair.client.reads(speech.call(0, "ping"), speech.call(1, "ping"));
    expect(pair.session.openCalls).toBe(2);
    // With the id of the one, as all that a server says of itself.
    pair.server.reads(speech.tell("info", new Map()));
    expect(pair.session.openCalls).toBe(2);
    pair.server.reads(speech.reply(0, null));
    expect(pair.session.openCalls).toBe(1);
    stage.leave();
  });

  it.each([
    ["client", "a call", (speech: Speech, data: Buffer) => speech.tell("ping", data)],
    ["client", "a heartbeat", (speech: Speech, data: Buffer) => speech.reply(-1, data)],
    ["server", "a message", (speech: Speech, data: Buffer) => speech.tell("info", data)],
  ] as const)("is not kept, though it is not whole: of the %s %s", (end, _, frame) => {
    const stage = new Stage();
    const pair = stage.shaken();
    pair[end].reads(frame(stage.speech, Buffer.alloc(60_000)).subarray(0, 40_000));
    expect(pair[end === "client" ? "server" : "client"].taken()).toHaveLength(40_000);
    expect(stage.memory.bytes).toBe(0);
    stage.leave();
  });
});

describe("a register that fails", () => {
  const failed = (stage: Stage): Pair => {
    const pair = stage.registering();
    pair.server.reads(stage.speech.raises(1, "ZODB.POSException.ReadOnlyError"));
    return pair;
  };

  it("is told, and the session is as it was before: no storage, small frames, no invalidation", () => {
    const stage = new Stage();
    const pair = failed(stage);
    expect(stage.said(pair)).toEqual(["reply 1"]);
    expect(pair.session.life).toBe("open");
    expect(pair.session.tellsOutage).toBe(false);
    expect([...stage.storages.all()]).toEqual([]);
    pair.server.reads(stage.speech.invalidation(2000, 5));
    expect(stage.said(pair)).toEqual([]);
    expect(stage.endings(pair)).toEqual(["invalidation-before-register by server"]);
    expect(stage.happenings).toContainEqual(expect.objectContaining({ what: "ended", storage: undefined }));
    stage.leave();
  });

  it("may be followed by one that does not, for another storage, which is told of everything", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = failed(stage);
    forget(pair);
    const again = speech.call(2, "register", "other", true);
    pair.client.reads(again);
    expect(pair.server.taken()).toEqual(again);
    expect([...stage.storages.all()].map(({ name }) => name)).toEqual(["other"]);
    pair.server.reads(speech.welcome(2, 1000), speech.invalidation(2000, 5));
    expect(stage.said(pair)).toEqual(["reply 2", "T2000 [5]"]);
    stage.leave();
  });

  it("leaves what stands behind the reply in the same piece to the rules from before", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = stage.registering();
    pair.client.reads(speech.call(2, "ping"));
    forget(pair);
    pair.server.reads(
      Buffer.concat([
        speech.raises(1, "ZODB.POSException.ReadOnlyError"),
        speech.reply(2, null),
        speech.tell("info", new Map()),
      ]),
      speech.invalidation(2000, 5),
    );
    expect(stage.said(pair)).toEqual(["reply 1", "reply 2", "info"]);
    expect(stage.endings(pair)).toEqual(["invalidation-before-register by server"]);
    stage.leave();
  });

  it("does not keep its storage, nor the place of a session in it", () => {
    const stage = new Stage();
    const [other, pair] = [stage.registered(), failed(stage)];
    expect(stage.storage.ledger.state.accounts.size).toBe(1);
    other.client.reads(stage.speech.creation(9, 1));
    other.server.reads(stage.speech.reply(9, eight(2000)));
    forget(pair);
    stage.clock.move(10_000);
    expect(pair.server.taken()).toHaveLength(0);
    expect(pair.session.life).toBe("open");
    stage.leave();
  });
});

it("a storage of which nothing is known is forgotten with its last session", () => {
  const stage = new Stage("Z4");
  const [one, other] = [stage.registered(), stage.registered()];
  one.client.closes();
  expect([...stage.storages.all()]).toEqual([stage.storage]);
  other.client.closes();
  expect([...stage.storages.all()]).toEqual([]);
  stage.leave();
});

describe("MACs", () => {
  const mac = Buffer.concat([Buffer.from("80000010", "hex"), Buffer.alloc(36, 1)]);

  it.each(["client", "server"] as const)("of the %s turn both ways raw, in the middle of a piece", (end) => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const pair = stage.shaken();
    const call = speech.call(1, "auth_get_challenge");
    pair[end].reads(Buffer.concat([call, mac]));
    expect(pair.session.life).toBe("relayed");
    const other = end === "client" ? "server" : "client";
    pair[other].reads(mac.subarray(0, 3), mac.subarray(3));
    pair[end].reads(speech.nonsense);
    expect(pair[other].taken()).toEqual(Buffer.concat([call, mac, speech.nonsense]));
    expect(pair[end].taken()).toEqual(mac);
    expect(stage.happenings.filter(({ what }) => what === "relayed")).toMatchObject([{ reason: "mac" }]);
    stage.leave();
  });

  it("give back what was kept of the other way", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const pair = stage.shaken();
    const call = speech.call(1, "register", "1", false);
    // A part of a frame that is held, and a head that is too short.
    pair.client.reads(call.subarray(0, call.length - 1));
    pair.server.reads(Buffer.concat([mac.subarray(0, 2)]));
    expect(pair.server.taken()).toHaveLength(0);
    pair.server.reads(mac.subarray(2));
    expect(pair.client.taken()).toEqual(mac);
    expect(pair.server.taken()).toEqual(call.subarray(0, -1));
    pair.client.reads(call.subarray(-1));
    expect(pair.server.taken()).toEqual(call.subarray(-1));
    stage.leave();
  });

  it.each(["registering", "registered"] as const)("come too late when the client is %s", (life) => {
    const stage = new Stage("Z4");
    const pair = stage[life]();
    pair.server.reads(mac);
    expect(stage.endings(pair)).toEqual(["frame-too-long by server"]);
    expect(pair.client.taken()).toHaveLength(0);
    stage.leave();
  });

  it("are no MACs in front of a new server", () => {
    const stage = new Stage("Z5");
    const pair = stage.shaken();
    pair.client.reads(mac);
    expect(stage.endings(pair)).toEqual(["frame-too-long by client"]);
    stage.leave();
  });
});

describe("before register", () => {
  it("no invalidation is passed on", () => {
    const stage = new Stage();
    const pair = stage.shaken();
    pair.server.reads(Buffer.concat([stage.speech.tell("info", new Map()), stage.speech.invalidation(2000, 5)]));
    expect(stage.endings(pair)).toEqual(["invalidation-before-register by server"]);
    expect(stage.said(pair).filter((said) => said !== "info")).toEqual([]);
    expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
      end: { expected: "a client that has registered", detail: "an invalidation" },
    });
    stage.leave();
  });

  it.each(["client", "server"] as const)("no frame of more than 64 KiB is passed on: %s", (end) => {
    const stage = new Stage();
    const pair = stage.shaken();
    const frame = stage.speech.tell("info", Buffer.alloc(64 * 1024));
    pair[end].reads(frame);
    expect(stage.endings(pair)).toEqual([`frame-too-long by ${end}`]);
    expect(pair[end === "client" ? "server" : "client"].taken()).toHaveLength(0);
    stage.leave();
  });

  it("no register is passed on that the server would not answer, or that names no storage", () => {
    for (const [frame, code] of [
      [new Stage().speech.tell("register", "1", false), "one-way-call"],
      [new Stage().speech.call(1, "register", 5, false), "bad-pickle"],
      [new Stage().speech.call(1, "register"), "bad-pickle"],
    ] as const) {
      const stage = new Stage();
      const pair = stage.shaken();
      pair.client.reads(frame);
      expect(stage.endings(pair)).toEqual([`${code} by client`]);
      expect(pair.server.taken()).toHaveLength(0);
      expect([...stage.storages.all()]).toEqual([]);
      stage.leave();
    }
  });

  it("a call keeps its id: register may not use it", () => {
    const stage = new Stage();
    const pair = stage.shaken();
    pair.client.reads(stage.speech.call(1, "ping"), stage.speech.call(1, "register", "1", false));
    expect(stage.endings(pair)).toEqual(["id-in-use by client"]);
    stage.leave();
  });
});
