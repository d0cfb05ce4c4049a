import { checkTree, PRICE_BUFFER, PRICE_MAP, PRICE_PLAIN, PRICE_TUPLE } from "../bounds.ts";
import type { Value } from "../value.ts";
import { PyGlobal, PyObject, PyTuple } from "../value.ts";
import { Work } from "../work.ts";
import { PickleMachine } from "./machine.ts";
import * as op from "./opcodes.ts";
import { quotedString, rawUnicode, textFloat } from "./text.ts";

/** A tree may count shared parts again, up to so many values in all. */
const MAX_NODES = 1_000_000;

/** Of whoever sets no other bound: a price is paid for each value, too. */
const ANY_WORK = 64 * 1024 * 1024;

/** Stands for a mark in a stack that `readPickle` is to go on from. */
export const MARK_VALUE: unique symbol = Symbol("mark");

/**
 * Reads one pickle to its `STOP`, which must be the last byte. The value is what is on top then. Executes nothing:
 * globals and instances stay names (`PyGlobal`, `PyObject`). Byte strings are views into `bytes`. What an instance
 * takes up one by one (the items of a subclass of list or dict) is left out.
 *
 * `from` and `stack` resume in the middle of a pickle: reading begins at `from` as if `stack` had been built by what
 * stands before.
 *
 * Raises `ProtocolError` (`bad-pickle`) for bytes that are no pickle, that nest too deep, or whose value would take
 * too much memory, or more work than `work` allows.
 */
export function readPickle(
  bytes: Buffer,
  from = 0,
  stack: readonly (Value | typeof MARK_VALUE)[] = [],
  work = new Work("bad-pickle", ANY_WORK),
): Value {
  const machine = new PickleMachine(bytes, from, work);
  for (const value of stack) {
    if (value === MARK_VALUE) machine.stack.mark();
    else machine.stack.push(value, PRICE_PLAIN);
  }
  const value = run(machine, work);
  checkTree(value, "bad-pickle", MAX_NODES, work);
  return value;
}

function run(machine: PickleMachine, work: Work): Value {
  const { input } = machine;
  for (;;) {
    const code = input.byte();
    work.spend(1, input.at);
    const handler = HANDLERS[code];
    if (handler !== undefined) handler(machine);
    else if (code === STOP) break;
    else {
      input.at -= 1;
      throw input.error("a pickle opcode", `0x${code.toString(16)}`);
    }
  }
  const rest = input.bytes.length - input.at;
  if (rest > 0) throw input.error("the end", `${rest} more bytes`);
  // What lies below is what a failed message left: see `behindLeftovers`. Python's unpickler ignores it too.
  return machine.stack.pop();
}

const { STOP } = op;

type Handler = (machine: PickleMachine) => void;

/** What each opcode but `STOP` does. */
const HANDLERS: (Handler | undefined)[] = Array.from({ length: 256 });

function on(codes: number | readonly number[], handler: Handler): void {
  for (const code of typeof codes === "number" ? [codes] : codes) HANDLERS[code] = handler;
}

// Values that hold no others.
on(op.NONE, ({ stack }) => stack.push(null, PRICE_PLAIN));
on(op.NEWTRUE, ({ stack }) => stack.push(true, PRICE_PLAIN));
on(op.NEWFALSE, ({ stack }) => stack.push(false, PRICE_PLAIN));
on(op.BININT1, ({ stack, input }) => stack.push(input.byte(), PRICE_PLAIN));
on(op.BININT2, ({ stack, input }) => stack.push(input.uint16(), PRICE_PLAIN));
on(op.BININT, ({ stack, input }) => stack.push(input.int32(), PRICE_PLAIN));
on(op.INT, ({ stack, input }) => stack.push(input.integerLine(), PRICE_PLAIN));
on(op.LONG, ({ stack, input }) => stack.push(input.longLine(), PRICE_PLAIN));
on(op.LONG1, ({ stack, input }) => stack.push(input.long(input.byte()), PRICE_PLAIN));
on(op.LONG4, ({ stack, input }) => stack.push(input.long(input.int32()), PRICE_PLAIN));
on(op.FLOAT, ({ stack, input }) => stack.push(textFloat(input.line(), input.at), PRICE_PLAIN));
on(op.BINFLOAT, ({ stack, input }) => stack.push(input.double(), PRICE_PLAIN));
on(op.STRING, ({ stack, input }) => stack.push(quotedString(input.lineBytes(), input.at), PRICE_BUFFER));
on(op.UNICODE, ({ stack, input }) => stack.push(rawUnicode(input.lineBytes(), input.at), PRICE_PLAIN));
on([op.SHORT_BINSTRING, op.SHORT_BINBYTES], ({ stack, input }) => stack.push(input.view(input.byte()), PRICE_BUFFER));
on([op.BINSTRING, op.BINBYTES], ({ stack, input }) => stack.push(input.view(input.uint32()), PRICE_BUFFER));
on([op.BINBYTES8, op.BYTEARRAY8], ({ stack, input }) => stack.push(input.view(input.length8()), PRICE_BUFFER));
on(op.SHORT_BINUNICODE, ({ stack, input }) => stack.push(input.text(input.byte()), PRICE_PLAIN));
on(op.BINUNICODE, ({ stack, input }) => stack.push(input.text(input.uint32()), PRICE_PLAIN));
on(op.BINUNICODE8, ({ stack, input }) => stack.push(input.text(input.length8()), PRICE_PLAIN));

// Tuples, lists, dictionaries, sets, and the stack itself.
on(op.MARK, ({ stack }) => stack.mark());
on(op.EMPTY_TUPLE, ({ stack }) => stack.push(new PyTuple([]), PRICE_TUPLE));
on(op.TUPLE1, ({ stack }) => stack.push(new PyTuple(stack.popMany(1)), PRICE_TUPLE));
on(op.TUPLE2, ({ stack }) => stack.push(new PyTuple(stack.popMany(2)), PRICE_TUPLE));
on(op.TUPLE3, ({ stack }) => stack.push(new PyTuple(stack.popMany(3)), PRICE_TUPLE));
on(op.TUPLE, ({ stack }) => stack.push(new PyTuple(stack.popMark()), PRICE_TUPLE));
on(op.EMPTY_LIST, ({ stack }) => stack.push([], PRICE_TUPLE));
on(op.LIST, ({ stack }) => stack.push(stack.popMark(), PRICE_TUPLE));
on(op.APPEND, (machine) => machine.append(machine.stack.popMany(1)));
on(op.APPENDS, (machine) => machine.append(machine.stack.popMark()));
on(op.EMPTY_DICT, ({ stack }) => stack.push(new Map(), PRICE_MAP));
on(op.DICT, (machine) => {
  const items = machine.stack.popMark();
  machine.stack.push(new Map(), PRICE_MAP);
  machine.setItems(items);
});
on(op.SETITEM, (machine) => machine.setItems(machine.stack.popMany(2)));
on(op.SETITEMS, (machine) => machine.setItems(machine.stack.popMark()));
on(op.EMPTY_SET, ({ stack }) => stack.push(setOf("set", []), PRICE_MAP));
on(op.ADDITEMS, (machine) => machine.addItems(machine.stack.popMark()));
on(op.FROZENSET, ({ stack }) => stack.push(setOf("frozenset", stack.popMark()), PRICE_MAP));
on(op.POP, ({ stack }) => stack.popValueOrMark());
on(op.POP_MARK, ({ stack }) => void stack.popMark());
on(op.DUP, ({ stack }) => stack.push(stack.top(), PRICE_PLAIN));

// The memo, and what frames a pickle.
on(op.PROTO, ({ input }) => {
  const version = input.byte();
  if (version > op.MAX_PROTOCOL) throw input.error("a protocol up to 5", String(version));
});
on(op.FRAME, ({ input }) => void input.length8());
on(op.BINPUT, (machine) => machine.put(machine.input.byte()));
on(op.LONG_BINPUT, (machine) => machine.put(machine.input.uint32()));
on(op.PUT, (machine) => machine.put(machine.input.memoLine()));
on(op.MEMOIZE, (machine) => machine.memoize());
on(op.BINGET, (machine) => machine.get(machine.input.byte()));
on(op.LONG_BINGET, (machine) => machine.get(machine.input.uint32()));
on(op.GET, (machine) => machine.get(machine.input.memoLine()));

// Globals and instances, by name only.
on(op.GLOBAL, ({ stack, input }) => {
  const module = input.line();
  stack.push(new PyGlobal(module, input.line()), PRICE_BUFFER);
});
on(op.STACK_GLOBAL, ({ stack, input }) => {
  const [module, name] = stack.popMany(2);
  if (typeof module !== "string" || typeof name !== "string") throw input.error("two names", "other values");
  stack.push(new PyGlobal(module, name), PRICE_BUFFER);
});
on(op.EXT1, (machine) => machine.extension(machine.input.byte()));
on(op.EXT2, (machine) => machine.extension(machine.input.uint16()));
on(op.EXT4, (machine) => machine.extension(machine.input.int32()));
on([op.REDUCE, op.NEWOBJ], (machine) => {
  const [callable, args] = machine.stack.popMany(2) as [Value, Value];
  machine.object(callable, args);
});
on(op.NEWOBJ_EX, (machine) => {
  const [callable, args, keywords] = machine.stack.popMany(3) as [Value, Value, Value];
  machine.object(callable, new PyTuple([args, keywords]));
});
on(op.INST, (machine) => {
  const module = machine.input.line();
  const made = new PyGlobal(module, machine.input.line());
  machine.object(made, new PyTuple(machine.stack.popMark()));
});
on(op.OBJ, (machine) => {
  const [callable, ...args] = machine.stack.popMark();
  if (callable === undefined) throw machine.input.error("a class", "nothing");
  machine.object(callable, new PyTuple(args));
});
on(op.PERSID, (machine) => machine.object(PERSISTENT, machine.input.line()));
on(op.BINPERSID, (machine) => machine.object(PERSISTENT, machine.stack.pop()));
on(op.BUILD, (machine) => machine.build());

const PERSISTENT = new PyGlobal("pickle", "persistent_load");

function setOf(name: string, items: Value[]): PyObject {
  return new PyObject(new PyGlobal("builtins", name), new PyTuple([items]));
}
