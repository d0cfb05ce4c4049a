import type { Value } from "../wire/value.ts";
import type { Arguments } from "./arguments.ts";
import type { Answer, Caller } from "./caller.ts";

/**
 * What a call does. The result is the reply's value, null for None; undefined means that `answer` has it or will have
 * it. A `StorageFault` that escapes becomes an exception at the client.
 */
export type Method = (caller: Caller, args: Arguments, answer: Answer) => Value | undefined;

export type Methods = Readonly<Record<string, Method>>;
