import type { Clock } from "../clock.ts";
import type { Connection, Party } from "./connection.ts";
import { ShadowConnection } from "./shadow-connection.ts";
import type { Standing } from "./standing.ts";
import type { SessionView } from "./view.ts";

/** A session that reads along: what it would write or command goes nowhere. */
export interface Shadow {
  /** Begins where another session stands. */
  begin(there: Standing): void;
  /** Would nothing be on its way soon, if nothing came from its client? */
  readonly mayWait: boolean;
  /** Where it stands, whatever it holds for its client; undefined: something is on its way. */
  readonly dropped: Standing | undefined;
  readonly view: SessionView;
  /** Has its client been granted a vote that it has neither finished nor aborted? */
  readonly hasVoted: boolean;
  /** Has its client begun a transaction that is not over? */
  readonly isCommitting: boolean;
}

/** Makes a shadow between two connections. */
export type ShadowMaker<Made extends Shadow> = (client: Connection, server: Connection) => Made;

/**
 * What follows a session whose bytes are relayed as they come: a shadow of it, which reads the same bytes and does with them all
 * that it would do if it were in the way. What goes wrong with it is no affair of the session's.
 */
export class Observation<Made extends Shadow> {
  readonly shadow: Made;
  readonly #client: ShadowConnection;
  readonly #server: ShadowConnection;

  /** `client`, `server`: `address:port` of the two. */
  constructor(client: string, server: string, clock: Clock, make: ShadowMaker<Made>) {
    this.#client = new ShadowConnection(client, clock);
    this.#server = new ShadowConnection(server, clock);
    this.shadow = make(this.#client, this.#server);
  }

  read(party: Party, bytes: Buffer): void {
    this.#of(party).read(bytes);
  }

  ended(party: Party): void {
    this.#of(party).ended();
  }

  closed(party: Party): void {
    this.#of(party).closed();
  }

  /** It is not needed any more. */
  stop(): void {
    this.#server.closed();
    this.#client.closed();
  }

  #of(party: Party): ShadowConnection {
    return party === "client" ? this.#client : this.#server;
  }
}
