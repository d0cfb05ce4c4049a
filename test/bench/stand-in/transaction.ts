import { OID_BYTES } from "../wire/z5.ts";

/** Where an oid of zeros as a serial begins, behind a store's oid: `C 8 oid C 8 serial`. */
const SERIAL_AT = OID_BYTES + 2;

/** Oids, packed as they are pickled. */
export class Oids {
  bytes = Buffer.allocUnsafe(64 * OID_BYTES);
  count = 0;

  /** `at`: where the pickled oid stands. */
  add(from: Buffer, at: number): void {
    const end = this.count * OID_BYTES;
    if (end === this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.allocUnsafe(end)]);
    from.copy(this.bytes, end, at, at + OID_BYTES);
    this.count++;
  }
}

/** The oids that a transaction stores, and those of them that are announced. */
export class StoredOids {
  readonly announced = new Oids();
  /** Only where somebody reads them. */
  readonly all: Oids | undefined;
  readonly #withCreated: boolean;

  constructor(withCreated: boolean, keepsAll: boolean) {
    this.#withCreated = withCreated;
    if (keepsAll) this.all = new Oids();
  }

  /** `at`: where the pickled oid stands in a `storea`. A serial of zeros means that the object is new. */
  add(bytes: Buffer, at: number): void {
    this.all?.add(bytes, at);
    const isCreated = bytes.readUInt32BE(at + SERIAL_AT) === 0;
    if (this.#withCreated || !isCreated) this.announced.add(bytes, at);
  }

  clear(): void {
    this.announced.count = 0;
    if (this.all !== undefined) this.all.count = 0;
  }
}
