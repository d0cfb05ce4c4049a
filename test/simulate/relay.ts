import type { Connection, ConnectionHandler } from "../../src/session/connection.ts";
import type { Route, Subject, SubjectMaker, Surroundings } from "./subject.ts";

/** One client and its server: bytes both ways, their ends too. */
class Pair {
  readonly #client: Connection;
  #server: Connection | undefined;
  /** What the client has said before its server was there. */
  #early: Buffer[] = [];
  #cancel: (() => void) | undefined;

  constructor(client: Connection) {
    this.#client = client;
  }

  begin(route: Route, surroundings: Surroundings): void {
    this.#cancel = surroundings.transport.dial(route.server, {
      connected: (server) => this.#connected(server),
      failed: () => this.#client.carryOut("destroy"),
    });
  }

  /** What the client's connection tells. */
  readonly client: ConnectionHandler = {
    read: (bytes) => {
      if (this.#server === undefined) this.#early.push(Buffer.from(bytes));
      else if (!this.#server.write(bytes)) this.#client.carryOut("pause");
    },
    ended: () => {
      if (this.#server === undefined) {
        this.#cancel?.();
        this.#client.carryOut("destroy");
      } else this.#server.carryOut("end");
    },
    drained: () => this.#server?.carryOut("resume"),
    closed: () => {
      this.#cancel?.();
      this.#server?.carryOut("destroy");
    },
  };

  #connected(server: Connection): void {
    this.#server = server;
    this.#cancel = undefined;
    for (const bytes of this.#early) server.write(bytes);
    this.#early = [];
    server.handOver({
      read: (bytes) => {
        if (!this.#client.write(bytes)) server.carryOut("pause");
      },
      ended: () => this.#client.carryOut("end"),
      drained: () => this.#client.carryOut("resume"),
      closed: () => {
        this.#client.carryOut("end");
        this.#client.carryOut("resume");
      },
    });
  }
}

/** A plain relay: what a world is without a proxy. */
export const relay: SubjectMaker = (surroundings) => {
  const stops: (() => void)[] = [];
  const subject: Subject = {
    repairs: false,
    start() {
      for (const route of surroundings.routes) listen(route);
    },
    stop() {
      for (const stop of stops) stop();
    },
    quit(_, done) {
      for (const stop of stops) stop();
      surroundings.clock.after(0, done);
    },
    check: () => undefined,
  };
  function listen(route: Route): void {
    stops.push(
      surroundings.transport.listen(route.listen, {
        listening: () => undefined,
        failed: () => void surroundings.clock.after(50, () => listen(route)),
        hindered: () => undefined,
        accepted(client) {
          const pair = new Pair(client);
          pair.begin(route, surroundings);
          client.handOver(pair.client);
        },
      }),
    );
  }
  return subject;
};
