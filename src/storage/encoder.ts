import type { Codec, Dialect, OidShape } from "../wire/codec.ts";
import { framed } from "../wire/frame.ts";
import type { Announcement } from "../ledger/state.ts";

/** An announcement as one kind of client reads it, with its length prefix: shared by all that get it. */
export interface Encoded {
  readonly frame: Buffer;
  /** In how many clients' queues it stands. */
  holders: number;
}

interface Variant {
  readonly dialect: Dialect;
  readonly shape: OidShape;
  readonly encoded: Encoded;
}

/** Encodes every announcement once for each dialect and shape, however many clients get it. */
export class AnnouncementEncoder {
  readonly #encoded = new WeakMap<Announcement, Variant[]>();

  encode(codec: Codec, dialect: Dialect, shape: OidShape, announcement: Announcement): Encoded {
    let variants = this.#encoded.get(announcement);
    if (variants === undefined) this.#encoded.set(announcement, (variants = []));
    for (const variant of variants) {
      if (variant.dialect === dialect && variant.shape === shape) return variant.encoded;
    }
    const payload = codec.encodeInvalidation(dialect, shape, announcement.tid, announcement.oids);
    const encoded = { frame: framed(payload), holders: 0 };
    variants.push({ dialect, shape, encoded });
    return encoded;
  }
}
