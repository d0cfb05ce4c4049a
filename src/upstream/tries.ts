import type { Address } from "../config/address.ts";
import type { Storages } from "../storage/storages.ts";
import type { Found } from "./availability.ts";
import { answers, type Dialling } from "./dialling.ts";

/** Finds out which server a name is; one of the two is told, once, and not while this runs. Returns what cancels it. */
export type StoragesFinder = (found: (storages: Storages) => void, failed: (code: string) => void) => () => void;

/** Descriptors that must be left, so that the address is not opened and closed for each client that leaves. */
const SPARE = 8;

/** The proxy's own looks at a server: one at a time, planned or on its way. */
export class Tries {
  readonly #server: Address;
  readonly #dialling: Dialling;
  readonly #find: StoragesFinder | undefined;
  #storages: Storages | undefined;
  #cancel: () => void = () => undefined;

  constructor(server: Address, dialling: Dialling, storages: Storages | StoragesFinder) {
    this.#server = server;
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
    else this.#cancel = answers(this.#server, this.#dialling, greeting, tried);
  }

  #findThem(greeting: boolean, tried: (found: Found) => void): () => void {
    const found = (storages: Storages): void => {
      this.#storages = storages;
      this.#cancel = answers(this.#server, this.#dialling, greeting, tried);
    };
    return this.#find?.(found, (code) => tried({ isUp: false, code })) ?? (() => undefined);
  }

  cancel(): void {
    this.#cancel();
  }
}
