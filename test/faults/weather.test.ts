import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../net/free-port.ts";
import { Random } from "../simulate/random.ts";
import { planted } from "./planted.ts";
import { FAIR, Weather, type Climate, type Tamper } from "./weather.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Sends back what it reads. */
async function echo(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => server.close());
  return { server, port: (server.address() as { port: number }).port };
}

async function weather(target: number, climate: Climate = FAIR, tamper?: () => Tamper): Promise<Weather> {
  const started = await Weather.start(await freePort(), target, climate, new Random(1), tamper);
  ends.push(() => started.stop());
  return started;
}

async function reach(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  ends.push(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function allFrom(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe("the relay that is the network's bad days", () => {
  const BYTES = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251));

  it.each<[string, Climate]>([
    ["fair", FAIR],
    ["slow", { delayMs: 2, slices: false }],
    ["in slices", { delayMs: 0, slices: true }],
  ])("passes all bytes in order, to the end of each half: %s", async (_, climate) => {
    const { port } = await weather((await echo()).port, climate);
    const socket = await reach(port);
    socket.end(BYTES);
    expect((await allFrom(socket)).equals(BYTES)).toBe(true);
  });

  it("passes on later what was on its way while it stalls, and breaks it off where it is reset", async () => {
    const relay = await weather((await echo()).port);
    const socket = await reach(relay.port);
    socket.write("a");
    await once(socket, "data");
    relay.stall(30);
    socket.write("b");
    const [chunk] = (await once(socket, "data")) as [Buffer];
    expect(chunk.toString()).toBe("b");
    relay.reset();
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    expect(error.code).toBe("ECONNRESET");
  });

  it("accepts nobody while there is nobody behind it", async () => {
    const { server, port: target } = await echo();
    const { port } = await weather(target);
    const socket = await reach(port);
    server.close();
    socket.end("last");
    await allFrom(socket);
    // There is no event for either: the system closes the listening socket in a moment, and the relay looks now and then.
    const isIn = async (): Promise<boolean> =>
      reach(port).then(
        () => true,
        () => false,
      );
    await expect.poll(isIn, { timeout: 10_000, interval: 20 }).toBe(false);
    await echo(target);
    await expect.poll(isIn, { timeout: 10_000, interval: 20 }).toBe(true);
  });

  it("changes an oid where that is asked for", async () => {
    const message = (tid: string, oids: string[]): Buffer =>
      Buffer.concat([
        Buffer.from("....(J\xff\xff\xff\xffK\x01U\x15invalidateTransaction(U\x08", "latin1"),
        Buffer.from(tid, "hex"),
        ...oids.map((oid) => Buffer.concat([Buffer.from("U\x08", "latin1"), Buffer.from(oid, "hex")])),
        Buffer.from("tt."),
      ]);
    const tamper = planted();
    const whole = message("04".repeat(8), ["01".repeat(8), "02".repeat(8)]);
    const passed = Array.from({ length: 14 }, () => tamper(whole));
    expect(passed.filter((one) => !one.equals(whole))).toHaveLength(2);
    expect(passed[6]).toEqual(message("04".repeat(8), ["01".repeat(8), "00ffffffffffffff"]));
  });
});
