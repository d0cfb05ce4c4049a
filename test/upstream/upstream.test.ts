import { describe, expect, it } from "vitest";
import { Finder, Gate, HANDSHAKE_MS } from "./gate.ts";

const GRACE_MS = 1_000;

describe("the address", () => {
  it("is known once it was bound, with the port that was chosen, and kept", () => {
    const gate = new Gate().binds();
    expect(gate.upstream.listen).toBeUndefined();
    gate.transport.listening.opens(4711);
    expect(gate.bound).toEqual([undefined]);
    expect(gate.upstream.listen).toBe("127.0.0.1:4711");
    gate.upstream.begin(() => undefined);
    gate.transport.dialling.fails();
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.upstream.listen).toBe("127.0.0.1:4711");
    gate.clock.move(100);
    gate.answers();
    expect(gate.transport.listening.address).toEqual({ host: "127.0.0.1", port: 4711 });
    gate.upstream.stop();
    gate.expectOver();
  });

  it("that can't be bound is an error of the start", () => {
    const gate = new Gate().binds();
    const cause = new Error("in use");
    gate.transport.listening.fails("EADDRINUSE", cause);
    expect(gate.bound).toEqual([{ code: "EADDRINUSE", cause }]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it("that somebody else has taken meanwhile is tried again until it can be had", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.fails("EADDRINUSE");
    expect(gate.state).toBe("blocked");
    expect(gate.told.at(-1)).toBe("blocked: EADDRINUSE");
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.fails("EADDRINUSE");
    expect(gate.told.filter((told) => told.startsWith("blocked"))).toHaveLength(1);
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver();
  });
});

describe("the first try", () => {
  it("finds a server that greets: the upstream listens at once", () => {
    const gate = new Gate().begins();
    expect(gate.transport.dialling.server).toEqual({ host: "server", port: 1 });
    gate.answers();
    expect(gate.state).toBe("listening");
    expect(gate.begun).toBe(1);
    expect(gate.happenings).toEqual([
      { what: "listening", upstream: "main", address: "127.0.0.1:4711", server: "server:1", isAgain: false },
    ]);
    expect(gate.clock.pending).toEqual([]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it.each(["refuses", "ends", "closes", "does not answer"])("finds a server down that %s", (how) => {
    const gate = new Gate().begins();
    const dial = gate.transport.dialling;
    if (how === "refuses") dial.fails();
    else if (how === "does not answer") {
      gate.clock.move(HANDSHAKE_MS);
      expect(dial.state).toBe("cancelled");
    } else {
      const server = dial.connects();
      if (how === "ends") server.ends();
      else server.closes();
      expect(server.commands).toContain("destroy");
    }
    expect(gate.state).toBe("down");
    expect(gate.begun).toBe(1);
    const reason = { refuses: "ECONNREFUSED", "does not answer": "ETIMEDOUT" }[how] ?? "ended";
    expect(gate.told).toEqual([`down: ${reason}`]);
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.clock.pending).toEqual([100]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it("takes a server that stays connected for a second for one that waits for its client", () => {
    const gate = new Gate().begins();
    const server = gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS - 1);
    expect(gate.state).toBe("starting");
    gate.clock.move(1);
    expect(gate.state).toBe("listening");
    expect(server.commands).toEqual(["destroy"]);
    gate.upstream.stop();
    gate.expectOver(server);
  });
});

describe("a try", () => {
  it.each(["ends", "closes"])("whose server %s has failed once, whatever its connection still tells", (how) => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    const server = gate.transport.dialling.connects();
    if (how === "ends") server.ends();
    server.closes();
    expect(gate.clock.pending).toEqual([100]);
    gate.upstream.stop();
    gate.expectOver(server);
  });

  it("whose server has answered has not failed when its connection closes", () => {
    const gate = new Gate().begins();
    gate.transport.dialling.fails();
    gate.clock.move(100);
    const server = gate.transport.dialling.connects();
    server.reads(gate.speech.name);
    gate.transport.listening.opens();
    const client = gate.arrives();
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["down: ECONNREFUSED", "up", "listening", "down: ECONNREFUSED"]);
    const pending = [...gate.clock.pending];
    server.closes();
    expect(gate.clock.pending).toEqual(pending);
    gate.upstream.stop();
    gate.expectOver(server, client);
  });
});

describe("a process that has no room", () => {
  it("gives the address up with its last client, and takes it again when one has left", () => {
    const gate = new Gate({ clients: 2 }).listens();
    const first = gate.registers();
    expect(gate.state).toBe("listening");
    const second = gate.registers();
    expect(gate.state).toBe("full");
    expect(gate.transport.listening.isGivenUp).toBe(true);
    first.client.closes();
    first.server.ends();
    first.server.closes();
    expect(gate.state).toBe("starting");
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    expect(gate.transport.listening.address.port).toBe(4711);
    gate.upstream.stop();
    gate.expectOver(...Object.values(first), ...Object.values(second));
  });

  it("gives it up while the server is still being looked at, too", () => {
    const gate = new Gate({ clients: 1 }).begins();
    const tried = gate.transport.dialling;
    const first = gate.arrives();
    expect(gate.transport.listening.isGivenUp).toBe(true);
    const server = tried.connects();
    server.reads(gate.speech.name);
    expect(gate.state).toBe("full");
    expect(gate.told).toEqual([]);
    first.closes();
    gate.transport.listening.opens();
    expect(gate.told).toEqual(["listening"]);
    gate.upstream.stop();
    gate.expectOver(first, server);
  });

  it("gives up an address that is still being asked for, and nobody waits for it", () => {
    const gate = new Gate({ clients: 1 }).binds();
    gate.room.take();
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect(gate.bound).toEqual([undefined]);
    gate.upstream.begin(() => gate.begun++);
    gate.answers();
    expect([gate.begun, gate.state]).toEqual([1, "full"]);
    gate.room.free();
    gate.transport.listening.opens(4711);
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver();
  });
});

describe("sessions that end", () => {
  it("the last one by its server: the server is tried at once, and nobody is told if it answers", () => {
    const gate = new Gate().listens();
    const [one, other] = [gate.registers(), gate.registers()];
    one.server.ends();
    expect(gate.state).toBe("listening");
    other.server.ends();
    gate.clock.move(0);
    gate.answers();
    // The address was open all the time.
    expect(gate.transport.listenings).toHaveLength(1);
    expect(gate.told).toEqual(["listening"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(one), ...Object.values(other));
  });

  it("the last one by its server, which answers nobody: that is told", () => {
    const gate = new Gate().listens();
    const one = gate.registers();
    one.server.closes();
    gate.clock.move(0);
    gate.transport.dialling.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(one));
  });

  it("by their clients, or before they have registered, are no outage", () => {
    const gate = new Gate().listens();
    const [one, early] = [gate.registers(), gate.connects()];
    one.client.closes();
    one.server.ends();
    early.server.reads(gate.speech.name);
    early.server.ends();
    expect(gate.state).toBe("listening");
    expect(gate.told).toEqual(["listening"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(one), ...Object.values(early));
  });

  it("make room once, when both their connections are closed", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.registers();
    client.closes();
    expect(gate.room.taken).toBe(1);
    server.settles();
    expect(gate.room.taken).toBe(0);
    expect(gate.upstream.sessions.size).toBe(0);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });
});

describe("a server that accepts and says nothing", () => {
  it("is down after limits.handshake where it has greeted before, and must greet again", () => {
    const gate = new Gate().listens();
    const { client, server } = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.told.at(-1)).toBe("down: silent");
    expect(client.commands).toContain("destroy");
    expect(server.commands).toContain("destroy");
    expect(gate.ends).toEqual([]);
    gate.clock.move(100);
    const silent = gate.transport.dialling.connects();
    gate.clock.move(HANDSHAKE_MS - 1);
    expect(silent.commands).toEqual([]);
    gate.clock.move(1);
    expect(silent.commands).toEqual(["destroy"]);
    gate.clock.move(1_000);
    gate.answers();
    gate.transport.listening.opens();
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver(client, server, silent);
  });

  it("waits for its client to speak where it has never greeted: it is the client that is late", () => {
    const gate = new Gate().begins();
    const tried = gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS);
    const { client, server } = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.state).toBe("listening");
    expect(gate.ends).toEqual(["not-registered by client"]);
    expect([client.commands.at(-1), server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
    gate.upstream.stop();
    gate.expectOver(client, server, tried);
  });

  it("is known to greet from the first client on that it greets, if it was slow at the first try", () => {
    const gate = new Gate().begins();
    const tried = gate.transport.dialling.connects();
    gate.clock.move(GRACE_MS);
    const first = gate.connects();
    first.server.reads(gate.speech.name);
    first.client.closes();
    const { client, server } = gate.connects();
    gate.clock.move(HANDSHAKE_MS);
    expect(gate.told.at(-1)).toBe("down: silent");
    gate.upstream.stop();
    gate.expectOver(...Object.values(first), client, server, tried);
  });
});

describe("a dial that fails while others are connected to the server", () => {
  it("is no outage: its client waits, a try is made, and who waits is let in", () => {
    const gate = new Gate().listens();
    const other = gate.registers();
    const client = gate.arrives();
    gate.transport.dialling.fails("ETIMEDOUT");
    expect([gate.state, gate.told]).toEqual(["listening", ["listening"]]);
    gate.clock.move(100);
    gate.answers();
    const server = gate.transport.dialling.connects();
    expect(gate.upstream.sessions.size).toBe(2);
    expect(client.commands).toEqual([]);
    expect(gate.told).toEqual(["listening"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(other), client, server);
  });

  it("is one where nothing else is heard of it for three seconds", () => {
    const gate = new Gate().listens();
    const other = gate.registers();
    const client = gate.arrives();
    gate.transport.dialling.fails();
    for (let ms = 0; ms < 3_000; ms += 10) {
      expect(gate.state).toBe("listening");
      gate.clock.move(10);
      if (gate.transport.dialling.state === "open") gate.transport.dialling.fails();
    }
    gate.clock.move(150);
    if (gate.transport.dialling.state === "open") gate.transport.dialling.fails();
    expect(gate.told).toEqual(["listening", "down: ECONNREFUSED"]);
    // Who is connected stays.
    expect(other.client.commands).toEqual([]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(other), client);
  });
});

describe("trouble of this machine", () => {
  it("in a client's dial is none of the server's: the address is given up until a try succeeds", () => {
    const gate = new Gate().listens();
    const other = gate.registers();
    const client = gate.arrives();
    gate.transport.dialling.fails("EADDRNOTAVAIL");
    expect(gate.state).toBe("trouble");
    expect(gate.told).toEqual(["listening", "trouble: EADDRNOTAVAIL"]);
    expect(gate.transport.listening.isGivenUp).toBe(true);
    expect([client.commands, other.client.commands]).toEqual([[], []]);
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens();
    const server = gate.transport.dialling.connects();
    gate.clock.move(10_000);
    gate.answers();
    expect(gate.told).toEqual(["listening", "trouble: EADDRNOTAVAIL", "listening", "trouble-over"]);
    gate.upstream.stop();
    gate.expectOver(...Object.values(other), client, server);
  });

  it("shows when a client was accepted with the last descriptors: nobody is dialled for it", () => {
    const gate = new Gate().listens();
    gate.transport.descriptors = 2;
    const { length } = gate.transport.dials;
    const client = gate.arrives();
    expect(gate.transport.dials).toHaveLength(length);
    expect(gate.told.at(-1)).toBe("trouble: EMFILE");
    gate.clock.move(100);
    // More must be free than one client needs, or the address would come and go with each.
    gate.transport.descriptors = 7;
    gate.clock.move(100);
    expect(gate.state).toBe("trouble");
    expect(gate.transport.dials).toHaveLength(length);
    gate.transport.descriptors = 8;
    gate.clock.move(150);
    gate.answers();
    gate.transport.listening.opens();
    const server = gate.transport.dialling.connects();
    expect(gate.state).toBe("listening");
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it("shows when clients can't be accepted at all, and at the start", () => {
    const gate = new Gate().listens();
    gate.transport.listening.hinders("ENOBUFS");
    expect(gate.told).toEqual(["listening", "trouble: ENOBUFS"]);
    gate.upstream.stop();
    gate.expectOver();
    const late = new Gate().binds();
    late.transport.descriptors = 0;
    late.transport.listening.opens(4711);
    late.upstream.begin(() => late.begun++);
    expect(late.begun).toBe(0);
    late.clock.move(0);
    expect([late.begun, late.state]).toEqual([1, "trouble"]);
    late.upstream.stop();
    late.expectOver();
  });

  it("lets a client wait for three seconds, and no longer", () => {
    const gate = new Gate().listens();
    gate.transport.descriptors = 0;
    const client = gate.arrives();
    for (let ms = 0; ms < 3_000; ms += 50) {
      expect(client.commands).toEqual([]);
      gate.clock.move(50);
    }
    expect(client.commands).toEqual(["destroy"]);
    expect(gate.room.taken).toBe(0);
    gate.upstream.stop();
    gate.expectOver(client);
  });
});

describe("a start", () => {
  it("waits for a listening address that is not there yet", () => {
    const gate = new Gate().binds();
    gate.transport.listening.fails("EADDRNOTAVAIL");
    expect(gate.bound).toEqual([undefined]);
    expect(gate.told).toEqual(["blocked: EADDRNOTAVAIL"]);
    gate.upstream.begin(() => gate.begun++);
    gate.answers();
    gate.transport.listening.fails("EADDRNOTAVAIL");
    expect([gate.begun, gate.state]).toEqual([1, "blocked"]);
    gate.clock.move(100);
    gate.answers();
    gate.transport.listening.opens(4711);
    expect(gate.told).toEqual(["blocked: EADDRNOTAVAIL", "listening"]);
    gate.upstream.stop();
    gate.expectOver();
  });

  it("need not be waited for while an address is looked up: what comes of it is told", () => {
    for (const comes of ["EADDRINUSE", "it"] as const) {
      const gate = new Gate().binds();
      gate.upstream.bindLater();
      expect(gate.bound).toEqual([undefined]);
      gate.upstream.begin(() => gate.begun++);
      const { listening } = gate.transport;
      if (comes === "it") listening.opens(4711);
      else listening.fails(comes);
      expect(gate.begun).toBe(0);
      gate.answers();
      expect(gate.begun).toBe(1);
      if (comes !== "it") gate.transport.listening.opens(4711);
      expect(gate.told).toEqual(comes === "it" ? ["listening"] : ["blocked: EADDRINUSE", "listening"]);
      expect(gate.bound).toHaveLength(1);
      gate.upstream.stop();
      gate.expectOver();
    }
  });
});

describe("a server whose name has no address yet", () => {
  it("is down until it has one; a client that comes meanwhile is dialled for when it is known which server it is", () => {
    const finder = new Finder();
    const gate = new Gate({ finder }).begins();
    const client = gate.arrives();
    expect(gate.transport.dials).toEqual([]);
    finder.fails("ENOTFOUND");
    expect(gate.told).toEqual(["down: ENOTFOUND"]);
    expect(gate.begun).toBe(1);
    gate.clock.move(100);
    finder.finds(gate.storages);
    gate.answers();
    gate.transport.listening.opens();
    const server = gate.transport.dialling.connects();
    server.reads(gate.speech.name);
    expect(client.taken()).toEqual(gate.speech.name);
    expect(finder.asked).toBe(2);
    gate.upstream.stop();
    gate.expectOver(client, server);
  });

  it("is in trouble where the name service does not answer, and a stop asks no longer", () => {
    const finder = new Finder();
    const gate = new Gate({ finder }).begins();
    finder.fails("EAI_AGAIN");
    expect(gate.told).toEqual(["trouble: EAI_AGAIN"]);
    gate.clock.move(100);
    gate.upstream.stop();
    expect(finder.isCancelled).toBe(true);
    gate.expectOver();
  });
});

describe("a server's name that leads to several addresses", () => {
  function several(gate: Gate): unknown[] {
    return gate.happenings.filter(({ what }) => what === "several-addresses");
  }

  it("is told of when registered sessions at both of them hear something, until one of them is over", () => {
    const gate = new Gate().listens();
    const { speech } = gate;
    const one = gate.registers("10.0.0.1");
    const two = gate.registers("10.0.0.2");
    expect(several(gate)).toEqual([]);
    expect(gate.upstream.serverAddresses).toEqual(["10.0.0.1", "10.0.0.2"]);
    one.server.reads(speech.reply(2, null));
    const addresses = ["10.0.0.1", "10.0.0.2"];
    expect(several(gate)).toEqual([{ what: "several-addresses", upstream: "main", server: "server:1", addresses }]);
    for (const { client } of [one, two]) client.closes();
    gate.settles(one.client, one.server, two.client, two.server);
    expect(gate.upstream.serverAddresses).toEqual([]);
    gate.upstream.stop();
    gate.expectOver(one.client, one.server, two.client, two.server);
  });

  it("is none as long as nothing is registered there, or what it is is not known", () => {
    const gate = new Gate().listens();
    const { speech } = gate;
    const one = gate.registers("10.0.0.1");
    const probe = gate.connects("10.0.0.2");
    probe.server.reads(speech.name);
    const relayed = gate.connects("10.0.0.3");
    relayed.client.reads(Buffer.from([0x16, 3, 1, 0, 0]));
    for (let turn = 0; turn < 2; turn++) {
      relayed.server.reads(Buffer.from([0x16, 3, 3, 0, 0]));
      one.server.reads(speech.reply(turn, null));
    }
    expect(gate.happenings).toContainEqual(expect.objectContaining({ what: "relayed" }));
    expect(gate.upstream.serverAddresses).toEqual(["10.0.0.1"]);
    expect(several(gate)).toEqual([]);
    gate.upstream.stop();
    const ends = [one, probe, relayed].flatMap(({ client, server }) => [client, server]);
    gate.expectOver(...ends);
  });
});
