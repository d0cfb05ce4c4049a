import { channel } from "node:diagnostics_channel";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { Reading, remade } from "../../src/net/reading.ts";
import { isScratch } from "../../src/net/scratch.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { within } from "../proxy/peer.ts";
import { loopback, meanwhile, portOf } from "./loopback.ts";
import { Noted } from "./noted.ts";

const HOST = "127.0.0.1";
const transport = new SocketTransport(120_000);

/** Whether each chunk that it is handed stands in the shared memory. */
class Ways extends Noted {
  readonly shared: boolean[] = [];

  override read(bytes: Buffer): void {
    this.shared.push(isScratch(bytes));
    super.read(bytes);
  }
}

/** One that the transport has accepted, and the test's end of it. */
async function accepted(): Promise<{ noted: Ways; other: Socket }> {
  let stop: () => void = () => undefined;
  let other: Socket | undefined;
  const ways = new Promise<Ways>((resolve, reject) => {
    const failed = (code: string): void => reject(new Error(code));
    stop = transport.listen(
      { host: HOST, port: 0 },
      {
        listening: ({ port }) => {
          other = connect({ host: HOST, port: port ?? 0 });
        },
        accepted: (one) => resolve(new Ways(one)),
        failed,
        hindered: failed,
      },
    );
  });
  const noted = await within(ways, "a client");
  onTestFinished(() => {
    stop();
    other?.destroy();
  });
  return { noted, other: other as unknown as Socket };
}

describe("on this Node", () => {
  it("an accepted socket reads into the shared memory", async () => {
    const { noted, other } = await accepted();
    other.write("abc");
    await noted.reads(3);
    expect(noted.shared).toEqual([true]);
  });

  it("a dialled socket does, too", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("abc");
    }).listen(0, HOST);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const dialled = new Promise<Ways>((resolve) => {
      const address = { host: HOST, port: portOf(server.address()) };
      transport.dial(address, {
        connected: (connection) => resolve(new Ways(connection)),
        failed: (code) => expect.unreachable(code),
      });
    });
    const noted = await within(dialled, "it connects");
    onTestFinished(() => noted.connection.carryOut("destroy"));
    await noted.reads(3);
    expect(noted.shared).toEqual([true]);
  });

  it("what was read is overwritten in tests when nobody may look at it any more", async () => {
    expect(channel("zeo-proxy:forgotten").hasSubscribers).toBe(true);
    const { noted, other } = await accepted();
    let kept: Buffer | undefined;
    noted.connection.handOver({
      read: (bytes) => (kept = bytes),
      ended: () => undefined,
      drained: () => undefined,
      closed: () => undefined,
    });
    other.write("abc");
    await meanwhile();
    expect(kept).toEqual(Buffer.from("eeeeee", "hex"));
  });
});

describe("where Node is made differently", () => {
  it("an accepted socket is left as it is, and read as Node does it", async () => {
    const server = createServer({ pauseOnConnect: true }).listen(0, HOST);
    onTestFinished(() => void server.close());
    await once(server, "listening");
    const other = connect({ host: HOST, port: portOf(server.address()) });
    onTestFinished(() => void other.destroy());
    const [socket] = (await once(server, "connection")) as [Socket & { _handle: object }];
    onTestFinished(() => void socket.destroy());
    Object.defineProperty(socket._handle, "useUserBuffer", { value: undefined });
    expect(remade(socket, new Reading())).toBeUndefined();
    expect(socket.destroyed).toBe(false);
    expect(socket.remoteAddress).toBe(HOST);
  });

  it("such a connection reads and writes all the same", async () => {
    const { connection, other } = await loopback("node");
    const noted = new Ways(connection);
    other.write("abc");
    await noted.reads(3);
    expect(noted.shared).toEqual([false]);
  });
});
