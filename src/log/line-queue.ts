interface Entry {
  readonly bytes: Buffer;
  readonly lines: number;
}

/** Lines with their ends, in order. Of a line that was written in part the rest stands here. */
export class LineQueue {
  #entries: Entry[] = [];
  /** Where the first one is. */
  #first = 0;
  #bytes = 0;
  #lines = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** How many lines nobody learns of if these are never written. */
  get lines(): number {
    return this.#lines;
  }

  /** `lines`: it speaks for so many. */
  add(bytes: Buffer, lines = 1): void {
    this.#entries.push({ bytes, lines });
    this.#bytes += bytes.length;
    this.#lines += lines;
  }

  /** The first lines, as many as fit into so many bytes, and one at least; empty where there is none. */
  head(maxBytes: number): Buffer {
    const parts: Buffer[] = [];
    let length = 0;
    for (let at = this.#first; at < this.#entries.length; at++) {
      const { bytes } = this.#entries[at] as Entry;
      if (length > 0 && length + bytes.length > maxBytes) break;
      parts.push(bytes);
      length += bytes.length;
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, length);
  }

  /** So many bytes of the head were written. */
  drop(bytes: number): void {
    this.#bytes -= bytes;
    let left = bytes;
    for (let entry = this.#entries[this.#first]; entry !== undefined; entry = this.#entries[this.#first]) {
      if (left < entry.bytes.length) {
        if (left > 0) this.#entries[this.#first] = { ...entry, bytes: entry.bytes.subarray(left) };
        break;
      }
      left -= entry.bytes.length;
      this.#lines -= entry.lines;
      this.#first++;
    }
    this.#forget();
  }

  clear(): void {
    this.#entries = [];
    this.#first = this.#bytes = this.#lines = 0;
  }

  /** What was written need not be kept, but is not moved for every line. */
  #forget(): void {
    if (this.#first < 1024 && this.#first < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
