import type { ConnectionHandler, Party } from "./connection.ts";

/** What a session does with what its two connections tell. */
export interface Told {
  read(party: Party, bytes: Buffer): void;
  partyEnded(party: Party): void;
  drained(party: Party): void;
  closed(party: Party): void;
}

/** What the connection to that party tells a session. Each session has two of them for as long as it lives: no closures. */
export class FromParty implements ConnectionHandler {
  readonly #session: Told;
  readonly #party: Party;

  constructor(session: Told, party: Party) {
    this.#session = session;
    this.#party = party;
  }

  read(bytes: Buffer): void {
    this.#session.read(this.#party, bytes);
  }

  ended(): void {
    this.#session.partyEnded(this.#party);
  }

  drained(): void {
    this.#session.drained(this.#party);
  }

  closed(): void {
    this.#session.closed(this.#party);
  }
}
