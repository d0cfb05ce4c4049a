import { formatAddress, type Address } from "../config/address.ts";
import type { Listened, Transport } from "./transport.ts";

/** What is told while the address is had. */
export type AtAddress = Pick<Listened, "door" | "accepted" | "hindered">;

/** What comes of asking for it. */
export interface Asked {
  listening(): void;
  failed: Listened["failed"];
}

/** The address that clients come to: it is asked for and given up again, and keeps the port that was chosen at first. */
export class ListeningAddress {
  readonly #transport: Transport;
  readonly #clients: AtAddress;
  /** What was asked for at first; then the address with the port that was chosen. */
  #address: Address;
  #isBound = false;
  #giveUp: (() => void) | undefined;

  constructor(address: Address, transport: Transport, clients: AtAddress) {
    this.#address = address;
    this.#transport = transport;
    this.#clients = clients;
  }

  /** `host:port` or a path, once it was bound, also while it is given up. */
  get bound(): string | undefined {
    return this.#isBound ? this.text : undefined;
  }

  /** `host:port` or a path, bound or not. */
  get text(): string {
    return formatAddress(this.#address);
  }

  /** Was it asked for, and not given up since? */
  get isAskedFor(): boolean {
    return this.#giveUp !== undefined;
  }

  /** Asks for it, anew where it was asked for before. */
  ask(asked: Asked): void {
    this.#giveUp?.();
    this.#giveUp = this.#transport.listen(this.#address, {
      ...this.#clients,
      listening: (address) => {
        this.#address = address;
        this.#isBound = true;
        asked.listening();
      },
      failed: (code, cause) => asked.failed(code, cause),
    });
  }

  giveUp(): void {
    this.#giveUp?.();
    this.#giveUp = undefined;
  }
}
