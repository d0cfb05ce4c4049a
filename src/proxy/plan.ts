import { canonicalHost, formatAddress, sameListener } from "../config/address.ts";
import { changedInUpstream, changedOptions } from "../config/changes.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { ReloadResult } from "./api.ts";

/** What becomes of one upstream of the new configuration. */
export type Step =
  /** It goes on, with all its connections; its name may be another one. */
  | { readonly is: "kept"; readonly before: UpstreamConfig; readonly after: UpstreamConfig }
  /** It is closed, and opened anew. */
  | { readonly is: "reopened"; readonly before: UpstreamConfig; readonly after: UpstreamConfig }
  | { readonly is: "opened"; readonly after: UpstreamConfig };

export interface Plan {
  /** In the order of the new configuration. */
  readonly steps: readonly Step[];
  /** Those that the new one does not have. */
  readonly closed: readonly UpstreamConfig[];
}

/**
 * Which upstreams go on. One is the same as before if it has the same name, given by somebody; else if it listens on the same
 * address (so an upstream can be renamed); else if it has the same name, derived from the server's address.
 */
export function planUpstreams(before: readonly UpstreamConfig[], after: readonly UpstreamConfig[]): Plan {
  const left = new Set(before);
  const same = new Map<UpstreamConfig, UpstreamConfig>();
  for (const isSame of [sameGivenName, sameAddress, sameName]) {
    for (const one of after) {
      if (same.has(one)) continue;
      const found = [...left].find((old) => isSame(old, one));
      if (found === undefined) continue;
      same.set(one, found);
      left.delete(found);
    }
  }
  const steps = after.map((one): Step => {
    const old = same.get(one);
    if (old === undefined) return { is: "opened", after: one };
    const isKept = changedInUpstream(old, one).every(({ takes }) => takes === "at once");
    return { is: isKept ? "kept" : "reopened", before: old, after: one };
  });
  return { steps, closed: [...left] };
}

function sameGivenName(a: UpstreamConfig, b: UpstreamConfig): boolean {
  return sameName(a, b) && !isDerived(a) && !isDerived(b);
}

function sameAddress({ listen: a }: UpstreamConfig, { listen: b }: UpstreamConfig): boolean {
  if (!sameListener(a, b)) return false;
  return a.path !== undefined || b.path !== undefined || canonicalHost(a.host) === canonicalHost(b.host);
}

function sameName(a: UpstreamConfig, b: UpstreamConfig): boolean {
  return a.name === b.name;
}

/** As the configuration names who has no name: the server's address, numbered where several have the same. */
function isDerived({ name, server }: UpstreamConfig): boolean {
  const base = formatAddress(server);
  return name === base || (name.startsWith(`${base}#`) && /^\d+$/.test(name.slice(base.length + 1)));
}

/** What that has done, for who asked for it. */
export function resultOf({ steps, closed }: Plan, before: Config, next: Config): ReloadResult {
  const changed = changedOptions(before, next);
  return {
    opened: steps.flatMap(({ is, after }) => (is === "opened" ? [after.name] : [])),
    reopened: steps.flatMap(({ is, after }) => (is === "reopened" ? [after.name] : [])),
    closed: closed.map(({ name }) => name),
    renamed: steps.flatMap((step) => {
      if (step.is === "opened" || step.before.name === step.after.name) return [];
      return [{ from: step.before.name, to: step.after.name }];
    }),
    changed: [
      ...steps.flatMap((step, index) => (step.is === "kept" ? changedIn(step.before, step.after, index) : [])),
      ...changed.flatMap(({ option, takes }) => (takes === "restart" ? [] : [option])),
    ],
    needRestart: changed.flatMap(({ option, takes }) => (takes === "restart" ? [option] : [])),
  };
}

/** Of one that goes on. What it is called is told for itself. */
function changedIn(before: UpstreamConfig, after: UpstreamConfig, index: number): string[] {
  const options = changedInUpstream(before, after).map(({ option }) => option);
  return options.filter((option) => option !== "name").map((option) => `upstreams[${index}].${option}`);
}
