import { observer, proxy, turner } from "./proxy.ts";
import { relay } from "./relay.ts";
import type { SubjectMaker } from "./subject.ts";

/** What can stand between clients and servers, by name. */
export const SUBJECTS: Readonly<Record<string, SubjectMaker>> = { relay, proxy, observer, turner };

export function subjectNamed(name: string): SubjectMaker {
  const maker = SUBJECTS[name];
  if (maker === undefined) throw new Error(`no subject ${name}: there is ${Object.keys(SUBJECTS).join(", ")}`);
  return maker;
}
