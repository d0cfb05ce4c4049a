import type { HandshakeFault, HeaderFault, RefusalReason } from "../happening/happening.ts";
import type { Door, Host, Origin } from "./transport.ts";

/** Who may come to an upstream's address, and how many. */
export interface AdmissionRules {
  readonly permits: (host: Host) => boolean;
  /** Is a balancer there, which says in a PROXY header who its client is? */
  readonly isBalancer: (host: Host) => boolean;
  /** At most so many at a time, and so many from one address. */
  readonly clients: number;
  readonly clientsPerAddress: number;
}

/** Everybody may come. */
export const OPEN: AdmissionRules = {
  permits: () => true,
  isBalancer: () => false,
  clients: Infinity,
  clientsPerAddress: Infinity,
};

/**
 * An upstream's door, and the places that clients have. A place is taken before a client is accepted, so that it counts while
 * its connection is being made; and it is free when the session is over, not only its client: a commit on its way counts.
 */
export class Admission implements Door {
  /** They hold for whoever comes from now on. */
  rules: AdmissionRules;
  readonly #headerMs: () => number;
  readonly #refused: (origin: Origin, reason: RefusalReason) => void;
  #taken = 0;
  /** By address. One of a host that is not known is none. */
  readonly #takenBy = new Map<string, number>();

  /** `headerMs`: how long one that is connected may take for its header. */
  constructor(rules: AdmissionRules, headerMs: () => number, refused: (origin: Origin, reason: RefusalReason) => void) {
    this.rules = rules;
    this.#headerMs = headerMs;
    this.#refused = refused;
  }

  headerMs(host: Host): number | undefined {
    return this.rules.isBalancer(host) ? this.#headerMs() : undefined;
  }

  lacksHeader(origin: Origin, fault: HeaderFault): void {
    this.#refused(origin, fault);
  }

  failsHandshake(origin: Origin, fault: HandshakeFault): void {
    this.#refused(origin, fault);
  }

  admits(origin: Origin): boolean {
    const reason = this.#reasonAgainst(origin.host);
    if (reason !== undefined) {
      this.#refused(origin, reason);
      return false;
    }
    this.#taken++;
    if (origin.host !== undefined) this.#takenBy.set(origin.host, this.#placesOf(origin.host) + 1);
    return true;
  }

  leaves(host: Host): void {
    this.#taken--;
    if (host === undefined) return;
    const left = this.#placesOf(host) - 1;
    if (left > 0) this.#takenBy.set(host, left);
    else this.#takenBy.delete(host);
  }

  #reasonAgainst(host: Host): RefusalReason | undefined {
    const { rules } = this;
    if (!rules.permits(host)) return "denied";
    if (this.#taken >= rules.clients) return "upstream-full";
    if (host !== undefined && this.#placesOf(host) >= rules.clientsPerAddress) return "address-full";
    return undefined;
  }

  #placesOf(host: string): number {
    return this.#takenBy.get(host) ?? 0;
  }
}
