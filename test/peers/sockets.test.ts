import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { LOOPBACK, reset } from "./sockets.ts";

/** With or without an error. */
function closing(socket: Socket): Promise<void> {
  return new Promise((done) => void socket.on("error", () => undefined).once("close", () => done()));
}

it.each(["reset", "about to say its end", "ended"])(
  "a connection that is %s ends for both",
  { timeout: 10_000 },
  async (how) => {
    const listener = createServer({ allowHalfOpen: true });
    listener.listen(0, LOOPBACK);
    await once(listener, "listening");
    onTestFinished(() => void listener.close());
    const { port } = listener.address() as AddressInfo;
    const other = connect({ host: LOOPBACK, port, allowHalfOpen: true });
    const [socket] = (await once(listener, "connection")) as [Socket];
    socket.resume();
    other.resume();
    other.once("end", () => other.end());
    const closed = Promise.all([closing(socket), closing(other)]);
    if (how !== "reset") socket.end();
    if (how === "ended") await once(socket, "finish");
    reset(socket);
    await closed;
    expect(socket.destroyed).toBe(true);
  },
);
