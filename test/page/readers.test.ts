import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Feed } from "../../src/page/feed.ts";
import type { Row } from "../../src/page/messages.ts";
import { MOST_READERS, Readers, STALLED_MS, STEP_MS } from "../../src/page/readers.ts";
import { pageRoutes } from "../../src/page/routes.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { committed, foreign, repaired } from "./happenings.ts";
import { serveRoutes } from "./site.ts";

interface Event {
  readonly name: string;
  readonly data: unknown;
}

/** Reads events, as many as are asked for. */
class Listener {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  private constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.#reader = reader;
  }

  static async of(url: string): Promise<Listener> {
    const response = await fetch(`${url}/events`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const listener = new Listener(response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>);
    onTestFinished(() => listener.close());
    return listener;
  }

  async next(): Promise<Event> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const [, name = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(this.#text.slice(0, end)) ?? [];
        this.#text = this.#text.slice(end + 2);
        return { name, data: JSON.parse(data) };
      }
      const { value, done } = await this.#reader.read();
      if (done) throw new Error("the stream has ended");
      this.#text += Buffer.from(value).toString();
    }
  }

  async named(name: string): Promise<unknown> {
    for (;;) {
      const event = await this.next();
      if (event.name === name) return event.data;
    }
  }

  async rows(): Promise<Row[]> {
    return ((await this.named("rows")) as { rows: Row[] }).rows;
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}

async function opened(capacity = 5_000) {
  const clock = new MovedClock();
  const feed = new Feed(clock, "1.2.3", capacity);
  const readers = new Readers(feed);
  const { url } = await serveRoutes(pageRoutes(feed, readers));
  return { clock, feed, readers, url };
}

describe("a reader", () => {
  it("is told how everything stands, and of the transactions that there were, newest first", async () => {
    const { feed, url } = await opened();
    for (let n = 1; n <= 3; n++) feed.read(committed(n));
    const listener = await Listener.of(url);
    expect(await listener.next()).toMatchObject({ name: "hello", data: { version: "1.2.3", capacity: 5_000 } });
    expect(await listener.next()).toMatchObject({ name: "overview", data: { upstreams: [], readers: 1 } });
    expect((await listener.rows()).map(({ id }) => id)).toEqual([2, 1, 0]);
  });

  it("is told in one message of all that happened between two steps", async () => {
    const { clock, feed, url } = await opened();
    const listener = await Listener.of(url);
    await listener.named("overview");
    for (let n = 1; n <= 100; n++) feed.read(committed(n, { created: [n] }));
    feed.read(repaired(7, [7]));
    clock.move(STEP_MS);
    const rows = await listener.rows();
    expect(rows).toHaveLength(100);
    expect(rows.find(({ repair }) => repair !== "none")).toMatchObject({ id: 6, added: 1 });
  });

  it("of more than can be followed is told of the newest, and of the others behind them", async () => {
    const { clock, feed, url } = await opened();
    const listener = await Listener.of(url);
    await listener.named("overview");
    for (let n = 1; n <= 1_200; n++) feed.read(committed(n));
    const told: number[] = [];
    while (told.length < 1_200) {
      clock.move(STEP_MS);
      told.push(...(await listener.rows()).map(({ id }) => id));
    }
    expect(told[0]).toBe(1_199);
    expect(told).toEqual([...told].sort((one, other) => other - one));
  });

  it("is told of each second once, and how everything stands once a second", async () => {
    const { clock, feed, url } = await opened();
    const listener = await Listener.of(url);
    await listener.named("seconds");
    feed.read(foreign(5, [1]));
    feed.held(17);
    clock.move(1_000);
    expect(await listener.named("overview")).toMatchObject({ nowMs: clock.now() });
    const seconds = (await listener.named("seconds")) as { from: number };
    expect(seconds).toMatchObject({ commits: [1], repairs: [0], held: [17] });
    clock.move(1_000);
    expect(await listener.named("seconds")).toMatchObject({ from: seconds.from + 1, commits: [0] });
  });

  it("that takes nothing is written to no more, whatever happens, and is let go after a while", async () => {
    const { clock, feed, readers, url } = await opened();
    const socket: Socket = connect(Number(new URL(url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.pause();
    socket.write("GET /events HTTP/1.1\r\nhost: x\r\n\r\n");
    await until(() => readers.size === 1);
    let n = 0;
    while (!readers.isAnyBehind) {
      for (let i = 0; i < 500; i++) feed.read(committed(++n));
      clock.move(STEP_MS);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const waiting = readers.waitingBytes;
    for (let i = 0; i < 2_000; i++) feed.read(committed(++n));
    clock.move(STEP_MS * 4);
    expect(readers.waitingBytes).toBe(waiting);
    expect(waiting).toBeLessThan(1_000_000);
    clock.move(STALLED_MS + 1_000);
    await until(() => readers.size === 0);
    expect(clock.pending).toEqual([]);
  }, 120_000);

  it("is refused where too many look", async () => {
    const { readers, url } = await opened();
    const listeners: Listener[] = [];
    for (let n = 0; n < MOST_READERS; n++) listeners.push(await Listener.of(url));
    const refused = await fetch(`${url}/events`);
    expect(refused.status).toBe(503);
    expect(await refused.text()).toContain("too many");
    await listeners[0]?.close();
    await until(() => readers.size < MOST_READERS);
    await Listener.of(url);
  });

  it("that has gone leaves nothing behind, no timer either", async () => {
    const { clock, readers, url } = await opened();
    const listener = await Listener.of(url);
    expect(clock.pending).toEqual([STEP_MS]);
    await listener.close();
    await until(() => readers.size === 0);
    expect(clock.pending).toEqual([]);
  });
});

/** Waits for what no event tells. */
async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 5));
}
