import { tidNumber } from "../frame-writer.ts";
import type { Request, RequestKind } from "../message.ts";

type Value = number | boolean | Buffer | null | Value[] | typeof MARK;

const MARK = Symbol("mark");

const KINDS: Readonly<Record<string, RequestKind>> = {
  getAuthProtocol: "plain",
  register: "register",
  lastTransaction: "lastTransaction",
  iterator_start: "iteratorStart",
  iterator_next: "iteratorNext",
  iterator_record_start: "recordStart",
  iterator_record_next: "recordNext",
  iterator_gc: "iteratorGc",
};

/** What the subject's own client says to a server, read the simulator's own way. Undefined: nothing of what it may say. */
export function witnessCall(frame: Buffer): Request | undefined {
  const message = unpickled(frame.subarray(4));
  if (!Array.isArray(message)) return undefined;
  const [id, flags, name, args] = message;
  if (typeof id !== "number" || !Buffer.isBuffer(name) || !Array.isArray(args)) return undefined;
  const method = name.toString("latin1");
  const kind = KINDS[method];
  if (kind === undefined) return undefined;
  const numbers = args.flat().map(asNumber);
  return {
    frame: Buffer.from(frame),
    kind,
    method,
    id,
    isOneWay: flags === 1 || flags === true,
    oid: 0,
    tid: 0,
    txn: 0,
    askedAt: 0,
    toldAt: 0,
    isSubjects: true,
    numbers,
  };
}

/** An iterator's id, or a tid: of one that is none of this world's only that it lies below all others. */
function asNumber(value: Value): number {
  if (typeof value === "number") return value;
  return Buffer.isBuffer(value) && value.length === 8 ? (tidNumber(value, 0) ?? 0) : 0;
}

/** The few things that a pickle of a call is made of; undefined for any other. */
function unpickled(bytes: Buffer): Value | undefined {
  const stack: Value[] = [];
  const popMark = (): Value[] => {
    const at = stack.lastIndexOf(MARK);
    const items = stack.splice(at);
    items.shift();
    return items;
  };
  for (let at = 0; at < bytes.length;) {
    const opcode = String.fromCharCode(bytes[at++] as number);
    const content = (length: number): Buffer => bytes.subarray(at, (at += length));
    switch (opcode) {
      case "\x80":
        at++;
        break;
      case "(":
        stack.push(MARK);
        break;
      case "K":
        stack.push(bytes[at++] as number);
        break;
      case "M":
        stack.push(content(2).readUInt16LE());
        break;
      case "J":
        stack.push(content(4).readInt32LE());
        break;
      case "I":
        stack.push(content(3).toString("latin1") === "01\n");
        break;
      case "\x88":
      case "\x89":
        stack.push(opcode === "\x88");
        break;
      case "N":
        stack.push(null);
        break;
      case "U":
      case "C":
        stack.push(content(bytes[at++] as number));
        break;
      case "X":
        at += 4;
        stack.push(content(bytes.readUInt32LE(at - 4)));
        break;
      case ")":
      case "]":
        stack.push([]);
        break;
      case "t":
        stack.push(popMark());
        break;
      case "\x85":
      case "\x86":
      case "\x87":
        stack.push(stack.splice(stack.length - (opcode.charCodeAt(0) - 0x84)));
        break;
      case "a":
      case "e": {
        const items = opcode === "a" ? stack.splice(-1) : popMark();
        const list = stack.at(-1);
        if (Array.isArray(list)) list.push(...items);
        break;
      }
      case ".":
        return stack[0];
      default:
        return undefined;
    }
  }
  return undefined;
}
