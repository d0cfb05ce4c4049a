import type { Config } from "../config/schema.ts";

type Writable<Values> = { -readonly [Key in keyof Values]: Values[Key] };

/**
 * What of a configuration acts at once. Whoever needs a value holds one of these objects, and asks it then: so a reload is a few
 * assignments, and nothing is told to sessions one by one. What is being waited for already keeps the time that it was given.
 */
export class Settings {
  readonly log: Writable<Pick<Config["log"], "oids" | "repairs">>;
  readonly limits: Writable<Config["limits"]>;
  readonly witness: Writable<Config["witness"]>;
  /** Close what can't be repaired, instead of relaying it. */
  refuseUnknown: boolean;
  /** As the transports that are made from now on have it. */
  keepAliveMs: number;

  constructor({ log, limits, witness, unknownProtocol, keepAliveMs }: Config) {
    this.log = { oids: log.oids, repairs: log.repairs };
    this.limits = { ...limits };
    this.witness = { ...witness };
    this.refuseUnknown = unknownProtocol === "refuse";
    this.keepAliveMs = keepAliveMs;
  }

  /** Has all values of that configuration from now on. */
  take({ log, limits, witness, unknownProtocol, keepAliveMs }: Config): void {
    Object.assign(this.log, { oids: log.oids, repairs: log.repairs });
    Object.assign(this.limits, limits);
    Object.assign(this.witness, witness);
    this.refuseUnknown = unknownProtocol === "refuse";
    this.keepAliveMs = keepAliveMs;
  }
}
