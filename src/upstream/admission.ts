import type { HandshakeFault, HeaderFault, RefusalReason } from "../happening/happening.ts";
import { oldestOf, PATIENCE_MS, type Nobody } from "./nobodies.ts";
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

export interface AdmissionHost {
  /** How long one that is connected may take for its header. */
  headerMs(): number;
  refused(origin: Origin, reason: RefusalReason): void;
  now(): number;
  /** Of those that have a session. */
  oldestNobody(): Nobody | undefined;
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
  readonly #host: AdmissionHost;
  /** Of the handshakes of one who listens. */
  #oldestHandshake: () => Nobody | undefined = () => undefined;
  #taken = 0;
  /** By address. One of a host that is not known is none. */
  readonly #takenBy = new Map<string, number>();

  constructor(rules: AdmissionRules, host: AdmissionHost) {
    this.rules = rules;
    this.#host = host;
  }

  headerMs(host: Host): number | undefined {
    return this.rules.isBalancer(host) ? this.#host.headerMs() : undefined;
  }

  lacksHeader(origin: Origin, fault: HeaderFault): void {
    this.#host.refused(origin, fault);
  }

  handshakes(oldest: () => Nobody | undefined): void {
    this.#oldestHandshake = oldest;
  }

  failsHandshake(origin: Origin, fault: HandshakeFault): void {
    this.#host.refused(origin, fault);
  }

  admits(origin: Origin): boolean {
    const reason = this.#reasonAgainst(origin.host);
    if (reason !== undefined) {
      this.#host.refused(origin, reason);
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
    // First: nobody goes for one who may not come in anyhow.
    if (host !== undefined && this.#placesOf(host) >= rules.clientsPerAddress) return "address-full";
    if (this.#taken >= rules.clients && !this.#makesRoom()) return "upstream-full";
    return undefined;
  }

  /** As where the process has no room (`nobodies.ts`): who has waited longest goes. */
  #makesRoom(): boolean {
    const oldest = oldestOf([this.#host.oldestNobody(), this.#oldestHandshake()]);
    if (oldest === undefined || this.#host.now() - oldest.since < PATIENCE_MS) return false;
    oldest.giveUp();
    return this.#taken < this.rules.clients;
  }

  #placesOf(host: string): number {
    return this.#takenBy.get(host) ?? 0;
  }
}
