import { ProtocolError, type ProtocolErrorCode } from "./errors.ts";
import type { Value } from "./value.ts";
import { PyGlobal, PyObject, PyTuple } from "./value.ts";
import type { Work } from "./work.ts";

/*
 * What may be read of a message is bounded by who has sent it, and by what it is needed for: docs/architecture.md, Memory.
 */

/**
 * The longest call that is read whole (`tpc_begin`, `vote`, ...), in bytes. Only a `tpc_begin` has anything that grows:
 * FileStorage takes 64 KiB each of user, description and extension; others that have limits have lower ones.
 */
export const MAX_CALL_BYTES = 512 * 1024;

/** An argument that is needed (an id, a tid, a name) is no longer, in bytes. */
export const MAX_ARGUMENT_BYTES = 1024;

/** What reading a call may cost: it is walked over once, and again for each argument that a memo hides. */
export const MAX_CALL_STEPS = 4 * MAX_CALL_BYTES;

/** What reading the value of a reply as objects may cost, where a rule can go on without it: an exception, a list. */
export const MAX_VALUE_STEPS = 50_000;

/** What walking over a reply may cost that is searched for anything that could be a tid. */
export const MAX_SEARCH_STEPS = 500_000;

/** No message of a peer nests deeper, and code that walks over a value may recurse so deep. */
export const MAX_DEPTH = 200;

/**
 * What one decoded value may take up in memory, in bytes, by the rough prices below. An empty dictionary is one byte on
 * the wire and some 200 in memory, so the length of a payload bounds nothing.
 */
export const MAX_DECODED = 48 * 1024 * 1024;

export const PRICE_PLAIN = 16;
export const PRICE_BUFFER = 128;
export const PRICE_TUPLE = 96;
export const PRICE_MAP = 256;

/**
 * Checks that nothing in `value` is nested deeper than `MAX_DEPTH`, and that it is a tree of at most `maxNodes` values
 * when shared parts are counted each time. A pickle's memo can make cycles, and few bytes that unfold to gigabytes.
 */
export function checkTree(value: Value, code: ProtocolErrorCode, maxNodes: number, work: Work): void {
  const values: Value[] = [value];
  const depths: number[] = [0];
  let nodes = 1;
  const push = (item: Value, depth: number): void => {
    if (item === null || typeof item !== "object" || Buffer.isBuffer(item) || item instanceof PyGlobal) return;
    values.push(item);
    depths.push(depth);
  };
  const count = (items: number): void => {
    nodes += items;
    work.spend(items, 0);
    if (nodes > maxNodes) throw new ProtocolError(code, 0, `at most ${maxNodes} values`, "more");
  };
  for (;;) {
    const top = values.pop();
    const depth = depths.pop();
    if (top === undefined || depth === undefined) return;
    if (depth > MAX_DEPTH) throw new ProtocolError(code, 0, `at most ${MAX_DEPTH} levels`, "more");
    if (top instanceof PyTuple || Array.isArray(top)) {
      const items = top instanceof PyTuple ? top.items : (top as readonly Value[]);
      count(items.length);
      for (const item of items) push(item, depth + 1);
    } else if (top instanceof Map) {
      const map = top as ReadonlyMap<Value, Value>;
      count(map.size * 2);
      for (const [key, item] of map) {
        push(key, depth + 1);
        push(item, depth + 1);
      }
    } else if (top instanceof PyObject) {
      count(3);
      push(top.callable, depth + 1);
      push(top.args, depth + 1);
      if (top.state !== undefined) push(top.state, depth + 1);
    }
  }
}
