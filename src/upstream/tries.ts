import type { Address } from "../config/address.ts";
import type { Storages } from "../storage/storages.ts";
import type { Found } from "./availability.ts";
import { answers, type Dialling } from "./dialling.ts";
import { isLocalTrouble } from "./local-trouble.ts";
import type { Places } from "./places.ts";

/** Finds out which server `server` is; one of the two is told, once, and not while this runs. Returns what cancels it. */
export type StoragesFinder = (
  found: (storages: Storages) => void,
  failed: (code: string) => void,
  server: Address,
) => () => void;

/** Where the server can be, and whether that may become another place. */
export interface TriesHost {
  readonly places: Places;
  /** Has it been away from its present place for long enough, and does nobody hear of it there any more? */
  readonly mayMove: () => boolean;
  /** It is at another place from now on; `left`: what was known of it at the one before. */
  readonly moved: (from: Address, left: Storages | undefined) => void;
}

/** Descriptors that must be left, so that the address is not opened and closed for each client that leaves. */
const SPARE = 8;

/**
 * The proxy's own looks at a server: one at a time, planned or on its way. Where it is not at its present place, and may be at
 * another one, it is looked for there, too; who greets is taken for it.
 */
export class Tries {
  readonly #host: TriesHost;
  readonly #dialling: Dialling;
  readonly #find: StoragesFinder | undefined;
  #storages: Storages | undefined;
  #cancel: () => void = () => undefined;

  constructor(host: TriesHost, dialling: Dialling, storages: Storages | StoragesFinder) {
    this.#host = host;
    this.#dialling = dialling;
    if (typeof storages === "function") this.#find = storages;
    else this.#storages = storages;
  }

  /** Those of the server, once it is known which one it is. */
  get storages(): Storages | undefined {
    return this.#storages;
  }

  /** Looks after so long, instead of any other time. `tried` is called once, not while this runs, unless it is cancelled. */
  plan(afterMs: number, greeting: boolean, tried: (found: Found) => void): void {
    this.#cancel();
    this.#cancel = this.#dialling.clock.after(afterMs, () => this.look(greeting, tried));
  }

  /** Looks now. `greeting`: the server must say something. */
  look(greeting: boolean, tried: (found: Found) => void): void {
    this.#cancel();
    const { clock, transport } = this.#dialling;
    const code = transport.shortage(SPARE);
    if (code !== undefined) this.#cancel = clock.after(0, () => tried({ isUp: false, code }));
    else if (this.#storages === undefined && this.#find !== undefined) this.#cancel = this.#findThem(greeting, tried);
    else this.#cancel = this.#lookHere(greeting, tried);
  }

  #findThem(greeting: boolean, tried: (found: Found) => void): () => void {
    const found = (storages: Storages): void => {
      this.#storages = storages;
      this.#cancel = this.#lookHere(greeting, tried);
    };
    const failed = (code: string): void => this.#lookElsewhere({ isUp: false, code }, tried);
    return this.#find?.(found, failed, this.#host.places.present) ?? (() => undefined);
  }

  #lookHere(greeting: boolean, tried: (found: Found) => void): () => void {
    return answers(this.#host.places.present, this.#dialling, greeting, (found) => {
      if (found.isUp || isLocalTrouble(found.code)) tried(found);
      else this.#lookElsewhere(found, tried);
    });
  }

  /** `absent`: what is told where it is at none of these either. */
  #lookElsewhere(absent: Found, tried: (found: Found) => void, others = this.#host.places.others): void {
    const [other, ...rest] = others;
    const find = this.#find;
    if (other === undefined || find === undefined || !this.#host.mayMove()) {
      tried(absent);
      return;
    }
    const next = (): void => this.#lookElsewhere(absent, tried, rest);
    // Who says nothing may be anybody.
    this.#cancel = answers(other, this.#dialling, true, (found) => {
      if (!found.isUp) next();
      else this.#cancel = find((storages) => (this.#moves(other, storages) ? tried(found) : next()), next, other);
    });
  }

  /** @returns whether it does: somebody may have heard of it meanwhile */
  #moves(other: Address, storages: Storages): boolean {
    const { mayMove, moved, places } = this.#host;
    if (!mayMove()) return false;
    const [from, left] = [places.present, this.#storages];
    places.moveTo(other);
    this.#storages = storages;
    moved(from, left);
    return true;
  }

  cancel(): void {
    this.#cancel();
  }
}
