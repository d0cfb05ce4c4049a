import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Doorway, MOST_WAITING } from "../../src/net/doorway.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import type { Door, Host, Origin } from "../../src/upstream/transport.ts";
import { within } from "../proxy/peer.ts";
import { binaryHeader, lineHeader } from "./headers.ts";
import { Noted } from "./noted.ts";

const HOST = "127.0.0.1";
const LINE = lineHeader("TCP4", "192.0.2.7", "192.0.2.1", 56_324, 9100);
const LOCAL = binaryHeader(0x20, 0, Buffer.alloc(0));
const BINARY = binaryHeader(
  0x21,
  0x21,
  Buffer.from("20010db8000000000000000000000001".repeat(2) + "dc0401bbffffff", "hex"),
);

/** An address that is listened on, and a door that lets in everybody but who is denied. */
class Entrance implements Door {
  readonly told: string[] = [];
  readonly clients: Noted[] = [];
  port = 0;
  /** How long a header is waited for. */
  ms: number | undefined = 60_000;
  readonly denied = new Set<Host>();
  /** What is done with a client as soon as it is accepted. */
  isPausing = false;
  isClosing = false;
  giveUp: () => void = () => undefined;
  readonly #watchers = new Set<() => void>();

  static async opens(rest: Partial<Pick<Entrance, "ms" | "isPausing" | "isClosing">> = {}): Promise<Entrance> {
    const entrance = Object.assign(new Entrance(), rest);
    await new Promise<void>((done, failed) => {
      entrance.giveUp = new SocketTransport(120_000).listen(
        { host: HOST, port: 0 },
        {
          door: entrance,
          listening: ({ port }) => {
            entrance.port = port ?? 0;
            done();
          },
          failed,
          hindered: failed,
          accepted: (client) => {
            entrance.clients.push(new Noted(client));
            if (entrance.isPausing) client.carryOut("pause");
            if (entrance.isClosing) client.carryOut("destroy");
            entrance.#note(`accepted ${client.host}`);
          },
        },
      );
    });
    onTestFinished(() => {
      entrance.giveUp();
      for (const { connection } of entrance.clients) connection.carryOut("destroy");
    });
    return entrance;
  }

  headerMs(): number | undefined {
    return this.ms;
  }

  lacksHeader({ host }: Origin, fault: string): void {
    this.#note(`${host} ${fault}`);
  }

  handshakes(): void {
    // There is no TLS.
  }

  failsHandshake({ host }: Origin, fault: string): void {
    this.#note(`${host} ${fault}`);
  }

  admits({ host, peer }: Origin): boolean {
    this.#note(`${this.denied.has(host) ? "denies" : "admits"} ${peer}`);
    return !this.denied.has(host);
  }

  leaves(host: Host): void {
    this.#note(`${host} leaves`);
  }

  /** So many things were told. */
  async tells(count: number): Promise<string[]> {
    const enough = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.told.length >= count) resolve();
      };
      this.#watchers.add(look);
      look();
    });
    await within(enough, `${count} things, of which there are ${this.told.join(", ")}`, 20_000);
    return this.told;
  }

  async connects(): Promise<Socket> {
    const socket = connect({ port: this.port, host: HOST, allowHalfOpen: true });
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket.setNoDelay(true);
  }

  get client(): Noted {
    const client = this.clients.at(-1);
    if (client === undefined) throw new Error("nobody was accepted");
    return client;
  }

  #note(what: string): void {
    this.told.push(what);
    for (const look of this.#watchers) look();
  }
}

async function closed(socket: Socket): Promise<void> {
  socket.resume();
  if (!socket.closed) await within(new Promise((done) => socket.on("end", done).on("close", done)), "its end", 20_000);
}

describe("a connection that needs no header", () => {
  it("is let in at once, under its own address, and what it says is its session's", async () => {
    const entrance = await Entrance.opens({ ms: undefined });
    const socket = await entrance.connects();
    socket.write(LINE);
    expect(await entrance.tells(2)).toEqual([`admits ${HOST}:${socket.localPort}`, `accepted ${HOST}`]);
    expect(entrance.client.connection.peer).toBe(`${HOST}:${socket.localPort}`);
    await entrance.client.reads(LINE.length);
    expect(entrance.client.bytes).toEqual(LINE);
  });

  it("that is not let in is closed, and nothing of it is accepted", async () => {
    const entrance = await Entrance.opens({ ms: undefined });
    entrance.denied.add(HOST);
    const socket = await entrance.connects();
    await closed(socket);
    expect(entrance.told).toEqual([`denies ${HOST}:${socket.localPort}`]);
  });
});

describe("a connection that begins with a header", () => {
  it.each([
    ["a line", LINE, "192.0.2.7", "192.0.2.7:56324"],
    ["version 2", BINARY, "2001:db8::1", "2001:db8::1:56324"],
  ])("comes from the address that stands there: %s", async (_, header, host, peer) => {
    const entrance = await Entrance.opens();
    const socket = await entrance.connects();
    socket.write(header);
    expect(await entrance.tells(2)).toEqual([`admits ${peer}`, `accepted ${host}`]);
    expect(entrance.client.connection).toMatchObject({ peer, host });
    // Nothing of the header is the session's, and all else is, both ways.
    socket.write("abc");
    await entrance.client.reads(3);
    expect(entrance.client.bytes.toString()).toBe("abc");
    entrance.client.connection.write(Buffer.from("def"));
    const [chunk] = (await within(once(socket, "data"), "the answer")) as [Buffer];
    expect(chunk.toString()).toBe("def");
    socket.end();
    await entrance.client.hears("ended");
  });

  it.each([
    ["LOCAL", LOCAL],
    ["UNKNOWN", Buffer.from("PROXY UNKNOWN\r\n")],
  ])("that names nobody comes from where it comes from: %s", async (_, header) => {
    const entrance = await Entrance.opens();
    const socket = await entrance.connects();
    socket.write(header);
    expect(await entrance.tells(2)).toEqual([`admits ${HOST}:${socket.localPort}`, `accepted ${HOST}`]);
  });

  it.each([
    ["a line", LINE],
    ["version 2", BINARY],
  ])("may come in any two pieces, with what the session says behind it in the second: %s", async (_, header) => {
    const entrance = await Entrance.opens();
    const all = Buffer.concat([header, Buffer.from("session")]);
    for (let cut = 1; cut < all.length; cut++) {
      const socket = await entrance.connects();
      const { length } = entrance.told;
      socket.write(all.subarray(0, cut));
      // Nothing tells that they were read apart, but the next connection is accepted behind that.
      (await entrance.connects()).destroy();
      socket.write(all.subarray(cut));
      await entrance.tells(length + 2);
      const { client } = entrance;
      await client.reads(7);
      expect(client.bytes.toString(), `cut at ${cut}`).toBe("session");
      socket.destroy();
    }
  });

  it("may be followed by much at once, and by an end: all of it is read, in order", async () => {
    const entrance = await Entrance.opens();
    const socket = await entrance.connects();
    const much = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    socket.write(Buffer.concat([LINE, much]));
    socket.end("end");
    await entrance.tells(2);
    await entrance.client.reads(much.length + 3);
    await entrance.client.hears("ended");
    expect(entrance.client.bytes.subarray(0, much.length).equals(much)).toBe(true);
    expect(entrance.client.bytes.subarray(much.length).toString()).toBe("end");
  });

  it("is not read while its session wants nothing, though it has come", async () => {
    const entrance = await Entrance.opens({ isPausing: true });
    const socket = await entrance.connects();
    socket.write(Buffer.concat([LINE, Buffer.from("abc")]));
    await entrance.tells(2);
    const { client } = entrance;
    const other = await entrance.connects();
    other.write(LINE);
    await entrance.tells(4);
    expect(client.bytes).toHaveLength(0);
    client.connection.carryOut("resume");
    await client.reads(3);
    socket.write("def");
    await client.reads(6);
    expect(client.bytes.toString()).toBe("abcdef");
  });

  it("is not read either when it is closed in the same moment", async () => {
    const entrance = await Entrance.opens({ isClosing: true });
    const socket = await entrance.connects();
    socket.write(Buffer.concat([LINE, Buffer.from("abc")]));
    await entrance.tells(2);
    await entrance.client.hears("closed");
    expect(entrance.client.bytes).toHaveLength(0);
  });

  it("is closed where the door does not let its client in", async () => {
    const entrance = await Entrance.opens();
    entrance.denied.add("192.0.2.7");
    const socket = await entrance.connects();
    socket.write(LINE);
    await closed(socket);
    expect(entrance.told).toEqual(["denies 192.0.2.7:56324"]);
  });
});

describe("a connection without the header that is to come", () => {
  it.each([
    ["another thing", Buffer.from("GET / HTTP/1.1\r\n"), "no-proxy-header"],
    ["an answer of ZEO", Buffer.from("\0\0\0\x02Z5"), "no-proxy-header"],
    ["what begins like one", Buffer.from("PROXY TCP4 a b c d\r\n"), "bad-proxy-header"],
    ["one that is too long", Buffer.concat([BINARY.subarray(0, 14), Buffer.from("ffff", "hex")]), "bad-proxy-header"],
  ])("is closed at once: %s", async (_, bytes, fault) => {
    const entrance = await Entrance.opens();
    const socket = await entrance.connects();
    socket.write(bytes);
    await closed(socket);
    expect(entrance.told).toEqual([`${HOST} ${fault}`]);
  });

  it.each([
    ["nothing", Buffer.alloc(0), "no-proxy-header"],
    ["half of one", LINE.subarray(0, 20), "bad-proxy-header"],
    ["all but a byte", BINARY.subarray(0, -1), "bad-proxy-header"],
  ])("is closed when it has had its time: %s", async (_, bytes, fault) => {
    const entrance = await Entrance.opens({ ms: 100 });
    const socket = await entrance.connects();
    if (bytes.length > 0) socket.write(bytes);
    await closed(socket);
    expect(entrance.told).toEqual([`${HOST} ${fault}`]);
  });

  it("may leave without a word, as a balancer's check does; with half a header it is told of", async () => {
    const entrance = await Entrance.opens();
    for (const leave of ["end", "resetAndDestroy"] as const) {
      (await entrance.connects())[leave]();
      const half = await entrance.connects();
      half.write("PRO");
      half.end();
      await closed(half);
    }
    expect(await entrance.tells(2)).toEqual([`${HOST} bad-proxy-header`, `${HOST} bad-proxy-header`]);
  });

  it("is closed without a word when the address is given up", async () => {
    const entrance = await Entrance.opens();
    const [mute, half] = [await entrance.connects(), await entrance.connects()];
    half.write("PRO");
    // Both were accepted, as this one behind them was.
    const last = await entrance.connects();
    last.write(LINE);
    await entrance.tells(2);
    entrance.giveUp();
    await Promise.all([closed(mute), closed(half)]);
    expect(entrance.told).toHaveLength(2);
    expect(entrance.client.told).toEqual([]);
  });
});

describe("very many that are waited for", () => {
  /** One that was accepted, without a network. */
  async function pairs(count: number): Promise<{ accepted: Socket[]; others: Socket[] }> {
    const server = createServer({ pauseOnConnect: true });
    const accepted: Socket[] = [];
    server.on("connection", (socket: Socket) => accepted.push(socket));
    server.listen(0, HOST);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const others: Socket[] = [];
    while (others.length < count) {
      const socket = connect((server.address() as AddressInfo).port, HOST);
      socket.on("error", () => undefined);
      others.push(socket);
      // oxlint-disable-next-line no-await-in-loop -- in order
      await Promise.all([once(socket, "connect"), once(server, "connection")]);
    }
    onTestFinished(() => {
      for (const socket of [...accepted, ...others]) socket.destroy();
    });
    return { accepted, others };
  }

  it("are no more than so many: who has been waited for longest goes", async () => {
    const refused: string[] = [];
    const door: Door = {
      headerMs: () => 60_000,
      lacksHeader: ({ peer }, fault) => refused.push(`${peer} ${fault}`),
      handshakes: () => undefined,
      failsHandshake: () => undefined,
      admits: () => true,
      leaves: () => undefined,
    };
    const entered: Socket[] = [];
    let isTold: () => void = () => undefined;
    const areIn = new Promise<void>((done) => (isTold = done));
    const doorway = new Doorway(door, (socket) => {
      if (entered.push(socket) === 2) isTold();
    });
    onTestFinished(() => doorway.close());
    const more = 3;
    const { accepted, others } = await pairs(MOST_WAITING + more);
    for (const socket of accepted) doorway.come(socket);
    expect(refused).toEqual(others.slice(0, more).map(({ localPort }) => `${HOST}:${localPort} no-proxy-header`));
    // And the others are still waited for.
    others.at(-1)?.write(LINE);
    others[more]?.write(LINE);
    await within(areIn, "two are let in", 20_000);
    doorway.close();
    expect(refused).toHaveLength(more);
    expect(accepted.filter(({ destroyed }) => !destroyed)).toEqual(entered);
  }, 60_000);
});
