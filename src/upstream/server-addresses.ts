/**
 * The addresses that an upstream's server is reached at. Behind one name there must be one server; those of several that
 * answer at the same time are a sign that there are more. Each must be heard again after another one was: a host that has
 * failed, and that others have taken the place of, keeps its connections for a while, and says nothing on them. What is
 * reached by another family may be the same machine, as `localhost` is, and is no sign.
 */
export class ServerAddresses<Session> {
  /** Where those are that were heard and are still here. */
  readonly #places = new Map<Session, Place>();
  /** By address: those that somebody is at. */
  readonly #taken = new Map<string, Place>();
  /** The one of each family that was heard last. */
  readonly #last = new Map<Family, Place>();
  /** And nobody has come since. */
  #isTold = false;

  /** All that sessions are at. */
  get all(): string[] {
    return [...this.#taken.keys()];
  }

  /**
   * The session's server has said something. To be called for those alone that what a server says is taken as proof from.
   * @param peer `address:port`, or the path of a Unix socket
   * @returns the addresses that answer at the same time, where that is to be told: once, and again when others have come
   */
  heard(session: Session, peer: string): readonly string[] | undefined {
    const known = this.#places.get(session);
    if (known?.isLast === true) return undefined;
    const place = known ?? this.#come(session, hostOf(peer));
    const isFirst = known === undefined && place.sessions === 1;
    const last = this.#last.get(place.family);
    if (last !== undefined) last.isLast = false;
    place.isLast = true;
    this.#last.set(place.family, place);
    if (isFirst || last === undefined || last === place || last.sessions === 0 || this.#isTold) return undefined;
    this.#isTold = true;
    return this.all.filter((other) => familyOf(other) === place.family);
  }

  /** Where it was heard; undefined: nowhere yet. While that `isLast`, nothing comes of hearing it again. */
  placeOf(session: Session): { readonly isLast: boolean } | undefined {
    return this.#places.get(session);
  }

  /** The session is over. */
  left(session: Session): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#places.delete(session);
    place.sessions--;
    if (place.sessions === 0) this.#taken.delete(place.address);
  }

  #come(session: Session, address: string): Place {
    const place = this.#taken.get(address) ?? { address, family: familyOf(address), sessions: 0, isLast: false };
    place.sessions++;
    this.#taken.set(address, place);
    this.#places.set(session, place);
    this.#isTold = false;
    return place;
  }
}

/** An address, as long as somebody is there. */
interface Place {
  readonly address: string;
  readonly family: Family;
  /** So many are. */
  sessions: number;
  /** Of its family it was heard last. */
  isLast: boolean;
}

type Family = "IPv4" | "IPv6" | "Unix";

function hostOf(peer: string): string {
  return peer.startsWith("/") ? peer : peer.slice(0, peer.lastIndexOf(":"));
}

function familyOf(address: string): Family {
  if (address.startsWith("/")) return "Unix";
  return address.includes(":") ? "IPv6" : "IPv4";
}
