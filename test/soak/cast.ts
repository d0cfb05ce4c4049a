import { bulk } from "./actors/bulk.ts";
import { cuts } from "./actors/cuts.ts";
import { garbage } from "./actors/garbage.ts";
import { halfOpen } from "./actors/half-open.ts";
import { kills } from "./actors/kills.ts";
import { probes } from "./actors/probes.ts";
import { slow } from "./actors/slow.ts";
import { writers } from "./actors/writers.ts";
import type { Observers } from "./observers.ts";
import type { ActorName } from "./options.ts";
import type { Actor } from "./scene.ts";

/** Who does what. */
export function castWith(observers: Observers): Readonly<Record<ActorName, Actor>> {
  return {
    writers,
    visitors: observers.visitor,
    bulk,
    slow,
    probes,
    "half-open": halfOpen,
    garbage,
    kills,
    cuts,
  };
}
