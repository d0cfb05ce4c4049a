/** What a message says first. One object is read into again and again: it is good until the next `readHead`. */
export interface Head {
  /** Where the id's pickle stands. */
  idAt: number;
  idEnd: number;
  methodAt: number;
  /** Where the method ends and the arguments begin. */
  argsAt: number;
}

const head: Head = { idAt: 0, idEnd: 0, methodAt: 0, argsAt: 0 };

/** Reads a message's beginning: what the bench's own load writes, and the proxy's questions (protocol 1, `U`). */
export function readHead(bytes: Buffer, start: number): Head {
  head.idAt = start + (bytes[start] === 0x80 ? 3 : 1);
  head.idEnd = head.idAt + idLength(bytes, head.idAt);
  const flag = bytes[head.idEnd];
  const at = head.idEnd + (flag === 0x49 ? 4 : flag === 0x4b ? 2 : 1);
  head.methodAt = at + (bytes[at] === 0x58 ? 5 : 2);
  head.argsAt = head.methodAt + (bytes[at + 1] as number);
  return head;
}

/** A small number that is an argument: an iterator's id. */
export function numberAt(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0x4b:
      return bytes[at + 1] as number;
    case 0x4d:
      return bytes.readUInt16LE(at + 1);
    case 0x4a:
      return bytes.readInt32LE(at + 1);
    default:
      throw new Error(`no number: ${bytes.toString("hex", at, at + 32)}`);
  }
}

/** How long a small number is as a pickle, or what else numbers a message. */
export function idLength(bytes: Buffer, at: number): number {
  switch (bytes[at]) {
    case 0x4b:
      return 2;
    case 0x4d:
      return 3;
    case 0x4a:
      return 5;
    case 0x43: // a load is numbered by its oid and tid
      return 21;
    default:
      throw new Error(`an unexpected id: ${bytes.toString("hex", at, at + 32)}`);
  }
}
