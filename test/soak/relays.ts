import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { LOOPBACK, reset } from "../peers/sockets.ts";
import type { Random } from "../simulate/random.ts";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** Listens, and joins each connection to one of its own to `port`. */
abstract class PairRelay {
  readonly port: number;
  readonly #listener: Server;
  protected readonly pairs = new Set<Pair>();

  protected constructor(listener: Server, port: number, localAddress: string) {
    this.#listener = listener;
    this.port = (listener.address() as AddressInfo).port;
    listener.on("connection", (client) => {
      const server = connect({ host: LOOPBACK, port, localAddress, allowHalfOpen: true, noDelay: true });
      const pair = { client, server };
      this.pairs.add(pair);
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const) {
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.pairs.delete(pair);
          // What is still on its way to it goes out first.
          other.end();
        });
      }
      this.join(pair);
    });
  }

  protected abstract join(pair: Pair): void;

  async stop(): Promise<void> {
    this.#listener.close();
    for (const { client, server } of this.pairs) {
      client.destroy();
      server.destroy();
    }
    await once(this.#listener, "close");
  }
}

async function listening(): Promise<Server> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true });
  listener.listen(0, LOOPBACK);
  await once(listener, "listening");
  return listener;
}

/** What its clients read comes at `bytesPerSecond` at most. */
export class SlowRelay extends PairRelay {
  readonly #bytesPerSecond: number;

  private constructor(listener: Server, port: number, localAddress: string, bytesPerSecond: number) {
    super(listener, port, localAddress);
    this.#bytesPerSecond = bytesPerSecond;
  }

  static async start(port: number, localAddress: string, bytesPerSecond: number): Promise<SlowRelay> {
    return new SlowRelay(await listening(), port, localAddress, bytesPerSecond);
  }

  protected join({ client, server }: Pair): void {
    client.pipe(server);
    server.on("data", (chunk: Buffer) => {
      client.write(chunk);
      server.pause();
      setTimeout(() => server.resume(), (chunk.length / this.#bytesPerSecond) * 1000);
    });
    server.on("end", () => client.end());
  }
}

/** Stands between the proxy and a server, and breaks connections. */
export class BreakingRelay extends PairRelay {
  static async start(port: number): Promise<BreakingRelay> {
    return new BreakingRelay(await listening(), port, LOOPBACK);
  }

  protected join({ client, server }: Pair): void {
    client.pipe(server).pipe(client);
  }

  /** Breaks one; false where there is none. */
  breakOne(random: Random): boolean {
    const pairs = [...this.pairs];
    if (pairs.length === 0) return false;
    const { client, server } = random.pick(pairs);
    reset(client);
    reset(server);
    return true;
  }
}
