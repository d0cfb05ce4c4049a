/**
 * Puts a gateway in front of every server that a ZEO test suite starts.
 *
 * The suite's clients ask here, over JSON lines, for an address in front of the one that they want to connect to.
 */

import { once } from "node:events";
import { createInterface } from "node:readline";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { openGateway } from "../gateway.ts";
import type { Gateway, Via } from "../gateway.ts";
import { LOOPBACK } from "../sockets.ts";

type Question = { readonly host: string; readonly port: number } | { readonly forget: true };

/** What the proxies of a whole suite said of themselves. */
export interface Sums {
  guard: number;
  readonly ended: Record<string, number>;
  completed: number;
  synthesized: number;
  resumed: number;
  fronts: number;
}

export function added(a: Sums, b: Sums): Sums {
  const ended = { ...a.ended };
  for (const [code, count] of Object.entries(b.ended)) ended[code] = (ended[code] ?? 0) + count;
  return {
    guard: a.guard + b.guard,
    ended,
    completed: a.completed + b.completed,
    synthesized: a.synthesized + b.synthesized,
    resumed: a.resumed + b.resumed,
    fronts: a.fronts + b.fronts,
  };
}

export class Control {
  readonly port: number;
  readonly sums: Sums = { guard: 0, ended: {}, completed: 0, synthesized: 0, resumed: 0, fronts: 0 };
  readonly #via: Via;
  readonly #server: Server;
  readonly #gateways = new Map<string, Promise<Gateway>>();
  readonly #stopping = new Set<Promise<void>>();

  private constructor(server: Server, via: Via) {
    this.#server = server;
    this.#via = via;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      socket.on("error", () => undefined);
      createInterface({ input: socket }).on("line", (line) => {
        void this.#answer(JSON.parse(line) as Question).then(
          (answer) => socket.end(`${JSON.stringify(answer)}\n`),
          () => socket.destroy(),
        );
      });
    });
  }

  static async start(via: Via): Promise<Control> {
    const server = createServer();
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    return new Control(server, via);
  }

  async #answer(question: Question): Promise<object> {
    if ("forget" in question) {
      this.#forget();
      return {};
    }
    const host = question.host === "localhost" || question.host === "" ? LOOPBACK : question.host;
    const key = `${host} ${question.port}`;
    let gateway = this.#gateways.get(key);
    if (gateway === undefined) {
      this.sums.fronts++;
      gateway = openGateway(this.#via, question.port, host);
      this.#gateways.set(key, gateway);
    }
    return { port: (await gateway).port };
  }

  /** Ends all gateways: the next test may find another server behind the same port. */
  #forget(): void {
    for (const gateway of this.#gateways.values()) {
      const stopping = gateway.then(
        async (opened) => {
          const stats = opened.stats();
          if (stats !== undefined) {
            this.sums.guard += stats.guard;
            this.sums.completed += stats.completed;
            this.sums.synthesized += stats.synthesized;
            this.sums.resumed += stats.resumed;
            for (const [code, n] of Object.entries(stats.ended)) {
              this.sums.ended[code] = (this.sums.ended[code] ?? 0) + n;
            }
          }
          await opened.stop();
        },
        () => undefined,
      );
      this.#stopping.add(stopping);
      void stopping.then(() => this.#stopping.delete(stopping));
    }
    this.#gateways.clear();
  }

  async stop(): Promise<void> {
    this.#forget();
    await Promise.all(this.#stopping);
    this.#server.close();
  }
}
