import { describe, expect, it } from "vitest";
import { framed } from "../../src/wire/frame.ts";
import { NO_TID } from "../../src/wire/ids.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { PyTuple } from "../../src/wire/value.ts";
import { raised } from "./iterators.ts";
import { MSGPACK, NEW, NEW_PY2, OLD, OLD_PY3, Scene, type ScriptedServer, stock, tid } from "./scripted.ts";

const KINDS = [
  ["old", OLD],
  ["old, on Python 3", OLD_PY3],
  ["new", NEW],
  ["new, on Python 2", NEW_PY2],
  ["msgpack", MSGPACK],
] as const;

const bytewise = (bytes: Buffer): Buffer[] => [...bytes].map((byte) => Buffer.from([byte]));

describe.each(KINDS)("a witness of a server that is %s", (_name, kind) => {
  it("registers read-only, and is up with the last transaction", () => {
    const scene = new Scene(kind, stock(3));
    const server = scene.connects();
    server.greets();
    expect(server.connection.frames()[0]?.toString()).toBe(kind === MSGPACK ? "Z5" : kind.greeting);
    const again = new Scene(kind, stock(3));
    const { calls } = again.enters();
    expect(again.told()).toEqual([["up", 30n]]);
    const names = calls.map(({ method }) => method);
    const behind = ["register", "lastTransaction", "iterator_start", "iterator_gc"];
    expect(names).toEqual(kind === OLD || kind === OLD_PY3 ? ["getAuthProtocol", ...behind] : behind);
    const register = calls.find(({ method }) => method === "register");
    expect(register?.args[1]).toBe(true);
    expect(register?.args[0]).toEqual(kind === OLD_PY3 ? "1" : Buffer.from("1"));
    const gc = calls.at(-1);
    expect([gc?.id, gc?.flags]).toEqual([0, kind === OLD || kind === OLD_PY3 ? 1 : true]);
  });

  it("reads a range, asks, and is told, byte by byte", () => {
    const scene = new Scene(kind, stock(30));
    const server = scene.connects();
    server.cut = bytewise;
    server.greets();
    server.serves();
    scene.reads({ above: tid(100), upTo: tid(300) }, (one) => one === tid(200));
    scene.witness.ask((last) => scene.tellings.push(["asked", last]));
    server.invalidates(tid(310), 1n, 2n);
    server.tells("info", new Map());
    server.serves();
    const read = stock(30)
      .slice(10)
      .filter(([one]) => one !== tid(200));
    expect(scene.told()).toEqual([
      ["up", 300n],
      ["told", 310n, "00000000000000010000000000000002"],
      ["asked", 300n],
      ["read", read.map(([one]) => [one, 2])],
    ]);
    expect(server.iterators.raised).toBe(0);
  });

  it("has failed with the class of an exception, and goes on", () => {
    const scene = new Scene(kind, stock(2));
    const server = scene.enters();
    server.answer = ({ method }) => (method === "iterator_next" ? raised("ImportError") : undefined);
    scene.reads({ above: NO_TID, upTo: tid(20) });
    server.serves();
    server.answer = () => undefined;
    scene.reads({ above: NO_TID, upTo: tid(20) });
    server.serves();
    expect(scene.told().slice(1)).toEqual([
      ["read", { kind: "failed", reason: "builtins.ImportError" }],
      [
        "read",
        [
          [10n, 2],
          [20n, 2],
        ],
      ],
    ]);
    expect(server.iterators.open.size).toBe(0);
  });

  it("is unable where the server is of the other family, and looks again later", () => {
    const isOld = kind === OLD || kind === OLD_PY3;
    const scene = new Scene(kind, [], { family: isOld ? "new" : "old" });
    const server = scene.connects();
    server.greets();
    expect(scene.told()).toEqual([["unable", "family"]]);
    expect([server.connection.hasEnded, server.calls]).toEqual([true, []]);
    scene.clock.move(60_000);
    expect(scene.transport.dials).toHaveLength(2);
    const same = new Scene(kind, [], { family: isOld ? "old" : "new" });
    same.enters();
    expect(same.told()).toEqual([["up", 0n]]);
  });

  it("is unable where the server does not have the storage", () => {
    const scene = new Scene(kind);
    const server = scene.connects();
    server.answer = ({ method }) => (method === "register" ? raised("ValueError") : undefined);
    server.greets();
    server.serves();
    expect(scene.told()).toEqual([["unable", "no-storage"]]);
    expect(server.connection.hasEnded).toBe(true);
  });

  it.each(["AttributeError", "NotImplementedError", "Unsupported"])("is unable where an iterator is %s", (name) => {
    const scene = new Scene(kind, stock(1));
    const server = scene.connects();
    server.answer = ({ method }) => (method === "iterator_start" ? raised(name) : undefined);
    server.greets();
    server.serves();
    expect(scene.told()).toEqual([["unable", "no-iteration"]]);
  });

  it("is up where an iterator can't be had this time", () => {
    const scene = new Scene(kind, stock(1));
    const server = scene.connects();
    server.answer = ({ method }) => (method === "iterator_start" ? raised("ValueError") : undefined);
    server.greets();
    server.serves();
    expect(scene.told()).toEqual([["up", 10n]]);
  });

  it("tries again where registering is another exception", () => {
    const scene = new Scene(kind);
    const server = scene.connects();
    server.answer = ({ method }) => (method === "register" ? raised("OSError") : undefined);
    server.greets();
    server.serves();
    expect(scene.told()).toEqual([["down", "builtins.OSError"]]);
    expect(scene.clock.pending).toEqual([100]);
  });

  it("stops at each moment, and tells nothing behind that", () => {
    for (let rounds = 0; rounds < 40; rounds++) {
      const scene = new Scene(kind, stock(3));
      const server = scene.connects();
      server.greets();
      let isReading = false;
      for (let round = 0; round < rounds; round++) {
        if (!server.answers() && !isReading) {
          isReading = true;
          scene.reads({ above: NO_TID, upTo: tid(30) });
          scene.witness.ask(() => scene.tellings.push("asked"));
        }
      }
      scene.told();
      scene.witness.stop();
      expect(server.connection.hasEnded).toBe(true);
      server.connection.settles();
      scene.witness.retry();
      scene.witness.ask(() => scene.tellings.push("asked"));
      scene.reads({ above: NO_TID, upTo: tid(30) });
      scene.clock.move(3_600_000);
      expect([scene.told(), scene.clock.pending, scene.transport.dials.length]).toEqual([[], [], 1]);
    }
  });

  it("is down when the connection is cut at each moment, and answers nothing that was asked before", () => {
    for (let rounds = 0; rounds < 40; rounds++) {
      const scene = new Scene(kind, stock(3));
      const server = scene.connects();
      server.greets();
      let isReading = false;
      for (let round = 0; round < rounds; round++) {
        if (!server.answers() && !isReading) {
          isReading = true;
          scene.reads({ above: NO_TID, upTo: tid(30) });
        }
      }
      scene.told();
      if (rounds % 2 === 0) server.connection.ends();
      else server.connection.closes();
      expect(scene.told()).toEqual([["down", rounds % 2 === 0 ? "ended" : "closed"]]);
      scene.clock.move(100);
      scene.enters();
      expect(scene.told()).toEqual([["up", 30n]]);
      scene.witness.stop();
    }
  });
});

describe("before it is up", () => {
  it.each([
    ["digest, in Python 2", OLD, Buffer.from("digest")],
    ["digest, in Python 3", OLD_PY3, "digest"],
  ])("is unable where a password is wanted: %s", (_name, kind, protocol) => {
    const scene = new Scene(kind);
    const server = scene.connects();
    server.answer = ({ method }) => (method === "getAuthProtocol" ? protocol : undefined);
    server.greets();
    server.serves();
    expect(scene.told()).toEqual([["unable", "authentication"]]);
  });

  it("is unable where registering says so", () => {
    const scene = new Scene(OLD);
    const server = scene.connects();
    server.answer = ({ method }) => (method === "register" ? raised("AuthError") : undefined);
    server.greets();
    server.serves();
    expect(scene.told()).toEqual([["unable", "authentication"]]);
  });

  it.each(["Z303", "Z308", "Z6", "X", "SSH-2.0-OpenSSH_9"])("is unable where the server greets with %s", (greeting) => {
    const scene = new Scene({ ...NEW, greeting });
    scene.connects().greets();
    expect(scene.told()).toEqual([["unable", "protocol"]]);
  });

  it("keeps what it is told, and tells it behind", () => {
    const scene = new Scene(NEW, stock(3));
    const server = scene.connects();
    server.greets();
    server.answers();
    server.invalidates(tid(30), 5n);
    server.answers();
    server.invalidates(tid(40));
    expect(scene.told()).toEqual([]);
    server.serves();
    expect(scene.told()).toEqual([
      ["up", 30n],
      ["told", 30n, "0000000000000005"],
      ["told", 40n, ""],
    ]);
  });

  it.each([
    ["an old server, with something to acknowledge by", OLD_PY3, ["iterator_gc"]],
    ["a new server", NEW, []],
  ] as const)("is told while a call waits: %s", (_name, kind, expected) => {
    const scene = new Scene(kind, stock(3));
    const server = scene.enters();
    server.invalidates(tid(40), 1n);
    expect(server.taken()).toEqual([]);
    scene.witness.ask((last) => scene.tellings.push(["asked", last]));
    const [asked] = server.taken();
    server.invalidates(tid(50), 1n);
    const written = server.taken();
    expect(written.map(({ method }) => method)).toEqual(expected);
    for (const { flags, args } of written) expect([flags, args]).toEqual([1, [[]]]);
    // Nothing is needed where something is written all the same.
    if (asked !== undefined) server.says(Buffer.concat([server.reply(asked)]));
    expect(scene.told().at(-1)).toEqual(["asked", 30n]);
    expect(server.taken()).toEqual([]);
  });

  it("does not keep any amount of it", () => {
    const scene = new Scene(NEW);
    const server = scene.connects();
    server.greets();
    const oids = Array.from({ length: 100_000 }, () => 1n);
    for (let n = 0; n < 30 && !server.connection.hasEnded; n++) server.invalidates(tid(n + 1), ...oids);
    expect(scene.told()).toEqual([["down", "too much before it is up"]]);
  });

  it("an empty database has no transaction, whether zeros say so or None", () => {
    const scene = new Scene(OLD);
    const server = scene.connects();
    server.answer = ({ method }) => (method === "lastTransaction" ? null : undefined);
    server.greets();
    server.serves();
    const other = new Scene(OLD);
    other.enters();
    expect([...scene.told(), ...other.told()]).toEqual([
      ["up", NO_TID],
      ["up", NO_TID],
    ]);
  });
});

describe("when it tries again", () => {
  it("is soon, and later and later, up to 5 s", () => {
    const scene = new Scene();
    const waits = Array.from({ length: 9 }, () => {
      scene.transport.dialling.fails();
      const [ms = 0] = scene.clock.pending;
      scene.clock.move(ms);
      return ms;
    });
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
    expect(scene.told()).toEqual(waits.map(() => ["down", "ECONNREFUSED"]));
  });

  it("is soon again once it has been up for a while, not sooner", () => {
    const scene = new Scene();
    const endsAfter = (ms: number): readonly number[] => {
      const { connection } = scene.enters();
      scene.clock.move(ms);
      connection.ends();
      const { pending } = scene.clock;
      scene.clock.move(pending[0] ?? 0);
      return pending;
    };
    expect([1, 1, 9_999, 10_000, 1].map(endsAfter)).toEqual([[100], [200], [400], [100], [200]]);
  });

  it("is once a minute where it was unable, and that is told once", () => {
    const scene = new Scene({ ...NEW, greeting: "Z6" });
    for (let n = 0; n < 3; n++) {
      scene.connects().greets();
      expect(scene.clock.pending).toEqual([60_000]);
      scene.clock.move(60_000);
    }
    expect(scene.told()).toEqual([["unable", "protocol"]]);
    scene.transport.dialling.fails();
    scene.clock.move(100);
    scene.connects().greets();
    expect(scene.told()).toEqual([
      ["down", "ECONNREFUSED"],
      ["unable", "protocol"],
    ]);
  });

  it("is now where somebody says so", () => {
    const scene = new Scene({ ...NEW, greeting: "Z6" });
    scene.connects().greets();
    scene.witness.retry();
    expect([scene.transport.dials.length, scene.clock.pending]).toEqual([2, [10_000]]);
    scene.witness.retry();
    expect(scene.transport.dials).toHaveLength(2);
  });

  it("is later where this machine is short of descriptors", () => {
    const scene = new Scene();
    scene.transport.descriptors = 7;
    scene.transport.dialling.fails();
    scene.clock.move(100);
    expect(scene.told()).toEqual([
      ["down", "ECONNREFUSED"],
      ["down", "EMFILE"],
    ]);
    scene.transport.descriptors = 8;
    scene.clock.move(200);
    scene.enters();
    expect(scene.told()).toEqual([["up", NO_TID]]);
  });

  it("a dial that nobody answers has failed", () => {
    const scene = new Scene();
    scene.clock.move(10_000);
    expect([scene.told(), scene.transport.dials[0]?.state]).toEqual([[["down", "ETIMEDOUT"]], "cancelled"]);
  });
});

describe("a server that says nothing", () => {
  it("is a TLS server where it never has", () => {
    const scene = new Scene();
    const { connection } = scene.connects();
    scene.clock.move(9_999);
    expect(scene.told()).toEqual([]);
    scene.clock.move(1);
    expect([scene.told(), connection.hasEnded]).toEqual([[["unable", "tls"]], true]);
    scene.clock.move(60_000);
    scene.enters();
    expect(scene.told()).toEqual([["up", NO_TID]]);
  });

  it("hangs where it once greeted, the witness or anybody", () => {
    const scene = new Scene();
    scene.enters().connection.ends();
    scene.clock.move(100);
    scene.connects();
    scene.clock.move(10_000);
    expect(scene.told().slice(1)).toEqual([
      ["down", "ended"],
      ["down", "silent"],
    ]);
    const other = new Scene(NEW, [], { greets: () => true });
    other.connects();
    other.clock.move(10_000);
    expect(other.told()).toEqual([["down", "silent"]]);
  });

  it("and leaves calls without a reply is given up", () => {
    const scene = new Scene(NEW, stock(1), { limits: { answerMs: 5_000 } });
    const { connection } = scene.enters();
    scene.clock.move(60_000);
    expect(scene.told()).toEqual([["up", 10n]]);
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(5_000);
    expect([scene.told(), connection.hasEnded]).toEqual([[["down", "unanswered"]], true]);
  });

  it("is not given up as long as it goes on replying", () => {
    const scene = new Scene(NEW, stock(20), { limits: { answerMs: 5_000, rangeMs: 1_000_000 } });
    const server = scene.enters();
    scene.reads({ above: NO_TID, upTo: tid(200) });
    while (server.answers()) scene.clock.move(4_000);
    expect(scene.told().map((telling) => (telling as [string])[0])).toEqual(["up", "read"]);
    scene.clock.move(100_000);
    expect(scene.told()).toEqual([]);
  });

  it("is given up where it goes on telling, and replies nothing", () => {
    const scene = new Scene(NEW, [], { limits: { answerMs: 5_000 } });
    const server = scene.enters();
    scene.told();
    scene.witness.ask(() => expect.unreachable());
    for (let n = 1; n < 20 && !server.connection.hasEnded; n++) {
      server.invalidates(tid(n));
      server.tells("info", new Map());
      scene.clock.move(1_000);
    }
    expect(scene.told().at(-1)).toEqual(["down", "unanswered"]);
  });
});

describe("a range", () => {
  const all = { above: NO_TID, upTo: tid(30) };

  it("that takes too long is too much, what it leaves behind is given back, and late replies are nothing", () => {
    const scene = new Scene(NEW, stock(3), { limits: { rangeMs: 1_000 } });
    const server = scene.enters();
    scene.told();
    scene.reads(all);
    for (let n = 0; n < 3; n++) server.answers();
    scene.clock.move(1_000);
    expect(scene.told()).toEqual([["read", { kind: "too-much" }]]);
    server.serves();
    expect([server.iterators.open.size, scene.told()]).toEqual([0, []]);
    scene.reads(all);
    server.serves();
    expect(scene.told()).toEqual([
      [
        "read",
        [
          [10n, 2],
          [20n, 2],
          [30n, 2],
        ],
      ],
    ]);
    expect(scene.clock.pending.length).toBeLessThan(3);
  });

  it("that is empty is read at once, but not before `read` has returned", () => {
    const scene = new Scene(NEW, stock(3));
    const server = scene.enters();
    scene.told();
    scene.reads({ above: tid(30), upTo: tid(30) });
    expect(scene.told()).toEqual([]);
    scene.clock.move(0);
    expect([scene.told(), server.taken()]).toEqual([[["read", []]], []]);
  });

  it("is one at a time", () => {
    const scene = new Scene(NEW, stock(3));
    scene.enters();
    scene.reads(all);
    expect(() => scene.reads(all)).toThrow("one range at a time");
  });

  it("may follow another at once", () => {
    const scene = new Scene(NEW, stock(3));
    const server = scene.enters();
    scene.told();
    let times = 0;
    scene.react = (word) => {
      if (word === "read" && times++ < 2) scene.reads(all);
    };
    scene.reads(all);
    server.serves();
    expect(scene.told()).toHaveLength(3);
  });

  it("is read call by call from old servers, and where that has once been better", () => {
    const written = (server: ScriptedServer, scene: Scene): number => {
      scene.reads(all);
      let most = 0;
      for (let calls = server.taken(); calls.length > 0; calls = server.taken()) {
        most = Math.max(most, calls.length);
        const replies = calls.filter(({ flags }) => flags === false).map((call) => server.reply(call));
        if (replies.length > 0) server.says(Buffer.concat(replies));
      }
      return most;
    };
    const old = new Scene(OLD, stock(3));
    expect(written(old.enters(), old)).toBe(1);
    const scene = new Scene(NEW, stock(3));
    const server = scene.enters();
    expect(written(server, scene)).toBeGreaterThan(1);
    server.iterators.fault = (method, count) =>
      method === "iterator_record_next" && count === 10 ? raised("ValueError") : undefined;
    written(server, scene);
    expect(written(server, scene)).toBe(1);
    expect(scene.told().slice(1)).toEqual(
      Array.from({ length: 3 }, () => [
        "read",
        [
          [10n, 2],
          [20n, 2],
          [30n, 2],
        ],
      ]),
    );
  });

  it("that is left behind on one connection is not counted on the next one", () => {
    const scene = new Scene(NEW, stock(3), { limits: { transactions: 1 } });
    for (let n = 0; n < 3; n++) {
      const server = scene.enters();
      for (let times = 0; times < 7; times++) {
        scene.reads(all);
        server.serves();
      }
      expect(server.connection.hasEnded).toBe(false);
      server.connection.ends();
      scene.clock.move(1_000);
    }
  });

  it("that is left behind too often ends the connection", () => {
    const scene = new Scene(NEW, stock(3), { limits: { transactions: 1 } });
    const server = scene.enters();
    scene.told();
    for (let n = 0; n < 8; n++) {
      expect(server.connection.hasEnded).toBe(false);
      scene.reads(all);
      server.serves();
    }
    expect(scene.told().slice(-2)).toEqual([
      ["read", { kind: "too-much" }],
      ["down", "iterators were left behind"],
    ]);
  });
});

describe("what a server must not say", () => {
  const reply = (id: number): Buffer => framed(pickleCodec.encode("pickle3", id, 0, ".reply", null));
  it.each([
    ["no pickle", framed(Buffer.from("garbage in here"))],
    ["an empty frame", framed(Buffer.alloc(0))],
    ["a frame with a MAC, or too long", Buffer.from("80000004", "hex")],
    ["a cut pickle", framed(Buffer.from("800328", "hex"))],
    ["a reply to nothing", reply(12345)],
    ["a reply without a value", framed(Buffer.from("8003284b054b0058060000002e7265706c79", "hex"))],
    [
      "an invalidation of nothing",
      framed(pickleCodec.encode("pickle3", 0, 1, "invalidateTransaction", new PyTuple([]))),
    ],
    ["random bytes", Buffer.from(Array.from({ length: 200 }, (_, n) => (n * 73) % 251))],
  ])("ends the connection: %s", (_name, bytes) => {
    for (const cut of [(one: Buffer) => [one], bytewise]) {
      const scene = new Scene(NEW, stock(1));
      const server = scene.enters();
      scene.witness.ask(() => expect.unreachable());
      server.taken();
      server.cut = cut;
      server.says(bytes);
      server.says(Buffer.alloc(2_000, 0x5a));
      const [, ...told] = scene.told();
      expect(told).toHaveLength(1);
      expect((told[0] as [string])[0]).toBe("down");
      expect(server.connection.hasEnded).toBe(true);
      scene.clock.move(100);
      scene.enters();
      expect(scene.told()).toEqual([["up", 10n]]);
    }
  });

  it("a reply to nothing alone is enough", () => {
    const scene = new Scene(NEW);
    scene.enters().says(reply(12345));
    expect(scene.told().slice(1)).toEqual([["down", "bad-message"]]);
  });

  it("an invalidation that is too long is none that is read", () => {
    const scene = new Scene(NEW, [], { limits: { frameBytes: 100 } });
    const server = scene.enters();
    server.invalidates(tid(1), 1n);
    server.invalidates(tid(2), ...Array.from({ length: 20 }, () => 1n));
    expect(scene.told().slice(1)).toEqual([
      ["told", 1n, "0000000000000001"],
      ["down", "message-too-long"],
    ]);
  });

  it("what came before it in the same piece is told", () => {
    const scene = new Scene(NEW);
    const server = scene.enters();
    const good = pickleCodec.encodeInvalidation("pickle3", "plain", tid(7), Buffer.alloc(8));
    server.says(Buffer.concat([framed(good), framed(Buffer.from("x"))]));
    expect(scene.told().slice(1)).toEqual([
      ["told", 7n, "0000000000000000"],
      ["down", "bad-pickle"],
    ]);
  });

  it("a last transaction that is an exception ends the connection", () => {
    const scene = new Scene(NEW);
    const server = scene.enters();
    server.answer = () => raised("OSError");
    scene.witness.ask(() => expect.unreachable());
    server.serves();
    expect(scene.told().slice(1)).toEqual([["down", "builtins.OSError"]]);
  });
});

describe("others' code", () => {
  it("that throws breaks nothing", () => {
    const scene = new Scene(NEW, stock(3));
    scene.react = (word) => {
      throw new Error(word);
    };
    const server = scene.enters();
    server.invalidates(tid(40));
    scene.witness.ask(() => {
      throw new Error("asked");
    });
    server.serves();
    scene.reads({ above: NO_TID, upTo: tid(30) }, () => {
      throw new Error("skipped");
    });
    server.serves();
    server.connection.ends();
    expect(scene.told()).toEqual([
      ["up", 30n],
      ["told", 40n, ""],
      [
        "read",
        [
          [10n, 2],
          [20n, 2],
          [30n, 2],
        ],
      ],
      ["down", "ended"],
    ]);
    const thrown = scene.thrown.map((error) => (error as Error).message);
    expect(thrown).toEqual(["up", "told", "asked", "skipped", "skipped", "skipped", "read", "down"]);
    scene.clock.move(100);
    expect(scene.transport.dials).toHaveLength(2);
  });

  it.each(["up", "told", "read", "down", "unable"])("may stop it when it is told `%s`", (at) => {
    const scene = new Scene(NEW, stock(3));
    scene.react = (word) => {
      if (word === at) scene.witness.stop();
    };
    const server = scene.connects();
    server.greets();
    server.answers();
    server.invalidates(tid(30));
    server.invalidates(tid(40));
    if (at === "unable")
      server.answer = ({ method }) => (method === "iterator_start" ? raised("AttributeError") : undefined);
    server.serves();
    if (!server.connection.hasEnded) scene.reads({ above: NO_TID, upTo: tid(30) });
    server.serves();
    if (!server.connection.hasEnded) server.connection.ends();
    expect((scene.told().at(-1) as [string])[0]).toBe(at);
    scene.clock.move(3_600_000);
    expect([scene.told(), scene.clock.pending, scene.transport.dials.length]).toEqual([[], [], 1]);
  });

  it("may stop it when it is answered, and is answered no more, although all has come", () => {
    const scene = new Scene(NEW, stock(3));
    const server = scene.enters();
    scene.witness.ask(() => scene.witness.stop());
    scene.witness.ask(() => expect.unreachable());
    server.serves();
    expect([scene.thrown, server.connection.hasEnded]).toEqual([[], true]);
  });

  it("may stop it when it is asked what is skipped", () => {
    const scene = new Scene(NEW, stock(3));
    const server = scene.enters();
    scene.told();
    scene.reads({ above: NO_TID, upTo: tid(30) }, () => {
      scene.witness.stop();
      return false;
    });
    server.serves();
    expect([scene.told(), scene.clock.pending, server.connection.hasEnded]).toEqual([[], [], true]);
  });
});

describe("the data of a record", () => {
  it("flows by, however much of it there is", () => {
    const scene = new Scene(NEW, [[tid(10), 5n]], { limits: { answerMs: 1_000 } });
    const server = scene.enters();
    scene.told();
    scene.reads({ above: NO_TID, upTo: tid(10) });
    let big: unknown;
    while (big === undefined) {
      const calls = server.taken();
      big = calls.find(({ method }) => method === "iterator_record_next")?.id;
      const replies = calls.filter(({ method }) => method !== "iterator_record_next").map((call) => server.reply(call));
      server.says(Buffer.concat(replies));
    }
    const size = 2 ** 30;
    const before = Buffer.concat([
      Buffer.from("800328", "hex"),
      Buffer.from([0x4b, big as number]),
      Buffer.from("4b0058060000002e7265706c7928430800000000000000054308000000000000000a42", "hex"),
      Buffer.from([size & 255, (size >> 8) & 255, (size >> 16) & 255, (size >> 24) & 255]),
    ]);
    const behind = Buffer.from("4e74742e", "hex");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(before.length + size + behind.length);
    server.says(Buffer.concat([length, before]));
    const chunk = Buffer.alloc(1 << 20);
    const { arrayBuffers, heapUsed } = process.memoryUsage();
    let most = 0;
    for (let sent = 0; sent < size; sent += chunk.length) {
      server.says(chunk);
      if (sent % (64 << 20) === 0) {
        scene.clock.move(900);
        const now = process.memoryUsage();
        most = Math.max(most, now.arrayBuffers + now.heapUsed - arrayBuffers - heapUsed);
      }
    }
    server.says(behind);
    // The played connection makes a copy of each chunk, and not all of them are collected at once.
    expect(most).toBeLessThan(size / 4);
    server.answer = ({ method }) => (method === "iterator_record_next" ? null : undefined);
    server.serves();
    expect(scene.told()).toEqual([["read", [[10n, 1]]]]);
  });
});
