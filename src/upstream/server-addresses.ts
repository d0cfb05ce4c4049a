/**
 * The addresses that an upstream's server is reached at. Behind one name there must be one server; those of several that
 * answer at the same time are a sign that there are more. Each must be heard again after another one was: a host that has
 * failed, and that others have taken the place of, keeps its connections for a while, and says nothing on them. What is
 * reached by another family may be the same machine, as `localhost` is, and is no sign.
 */
export class ServerAddresses<Session> {
  /** Those that were heard on their connections to that address, and are still here. */
  readonly #sessions = new Map<string, Set<Session>>();
  /** The one of each family that was heard last. */
  readonly #last = new Map<Family, string>();
  /** And nobody has come since. */
  #isTold = false;

  /** All that sessions are at. */
  get all(): string[] {
    return [...this.#sessions.keys()];
  }

  /**
   * The session's server has said something. To be called for those alone that what a server says is taken as proof from.
   * @param peer `address:port`
   * @returns the addresses that answer at the same time, where that is to be told: once, and again when others have come
   */
  heard(session: Session, peer: string): readonly string[] | undefined {
    const address = peer.slice(0, peer.lastIndexOf(":"));
    const family = familyOf(address);
    const isFirst = !this.#sessions.has(address);
    this.#add(session, address);
    const last = this.#last.get(family);
    if (last === address) return undefined;
    this.#last.set(family, address);
    if (isFirst || last === undefined || !this.#sessions.has(last)) return undefined;
    if (this.#isTold) return undefined;
    this.#isTold = true;
    return this.all.filter((other) => familyOf(other) === family);
  }

  /** The session is over. */
  left(session: Session): void {
    for (const [address, sessions] of this.#sessions) {
      if (sessions.delete(session) && sessions.size === 0) this.#sessions.delete(address);
    }
  }

  #add(session: Session, address: string): void {
    const sessions = this.#sessions.get(address) ?? new Set();
    if (sessions.has(session)) return;
    this.#sessions.set(address, sessions.add(session));
    this.#isTold = false;
  }
}

type Family = "IPv4" | "IPv6";

function familyOf(address: string): Family {
  return address.includes(":") ? "IPv6" : "IPv4";
}
