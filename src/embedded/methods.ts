import { commitMethods } from "./commit-methods.ts";
import { iterationMethods } from "./iteration-methods.ts";
import type { Methods } from "./method.ts";
import { oldMethods } from "./old-methods.ts";
import { readMethods } from "./read-methods.ts";
import { register } from "./register-method.ts";
import type { Family } from "./style.ts";
import { voteNew } from "./vote-new.ts";
import { voteOld } from "./vote-old.ts";

const shared: Methods = { register, ...readMethods, ...commitMethods, ...iterationMethods };

const byFamily: Readonly<Record<Family, Methods>> = {
  old: { ...shared, ...oldMethods, vote: voteOld },
  new: { ...shared, vote: voteNew },
};

/** All that a server of this family can be asked. */
export function methodsOf(family: Family): Methods {
  return byFamily[family];
}
