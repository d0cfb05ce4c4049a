import { OID_BYTES } from "../wire/z5.ts";

/** Where an oid of zeros as a serial begins, behind a store's oid: `C 8 oid C 8 serial`. */
const SERIAL_AT = OID_BYTES + 2;

/** The oids that a transaction will announce, packed as they are pickled. */
export class StoredOids {
  #bytes = Buffer.allocUnsafe(64 * OID_BYTES);
  count = 0;
  readonly #withCreated: boolean;

  constructor(withCreated: boolean) {
    this.#withCreated = withCreated;
  }

  /** `at`: where the pickled oid stands in a `storea`. A serial of zeros means that the object is new. */
  add(bytes: Buffer, at: number): void {
    const isCreated = bytes.readUInt32BE(at + SERIAL_AT) === 0;
    if (isCreated && !this.#withCreated) return;
    const end = this.count * OID_BYTES;
    if (end === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.allocUnsafe(end)]);
    bytes.copy(this.#bytes, end, at, at + OID_BYTES);
    this.count++;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  clear(): void {
    this.count = 0;
  }
}
