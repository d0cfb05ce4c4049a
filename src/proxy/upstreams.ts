import { formatAddress, sameListener, type Address } from "../config/address.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { systemClock } from "../net/system-clock.ts";
import type { Storages } from "../storage/storages.ts";
import { stopInOrder } from "../upstream/stopping.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { ListenError } from "./errors.ts";
import type { Plan } from "./plan.ts";
import type { Apply, KeptUpstream } from "./reloadable.ts";
import type { Ways } from "./ways.ts";

/** For so long a start waits for a name of a listening address, before it begins to serve the others. */
const BIND_MS = 1_000;

/** An upstream, how its sides are reached, and the configuration that it has. */
export interface Open {
  readonly upstream: Upstream;
  readonly ways: Ways;
  readonly config: UpstreamConfig;
}

export interface UpstreamsHost {
  /** Makes one, which opens nothing yet; `index`: where it stands in the configuration. Throws ConfigError. */
  make(config: UpstreamConfig, index: number): Open;
  /** Throws where the proxy is stopped. */
  mustGoOn(): void;
  /** `limits.drain` */
  readonly drainMs: number;
  /** These are open: they have their addresses, or wait for them. */
  opened(open: readonly Open[]): void;
  /** These are gone. Called when they are, and again when those that may take their place know their server. */
  forget(gone: readonly Open[]): void;
}

/** The process's upstreams: which are open, and how they become others. */
export class Upstreams {
  readonly #host: UpstreamsHost;
  #open: readonly Open[];
  /** Those that a reload opens, as long as it may still be refused, and those that it closes. */
  #opening: readonly Open[] = [];
  #leaving: readonly Open[] = [];

  /** The first ones. @throws ConfigError */
  constructor(configs: readonly UpstreamConfig[], host: UpstreamsHost) {
    this.#host = host;
    this.#open = configs.map((config, index) => host.make(config, index));
  }

  /** In the order of the configuration. */
  get open(): readonly Open[] {
    return this.#open;
  }

  /** A witness has lost its connection to that server. */
  witnessLost(storages: Storages): void {
    for (const { upstream } of this.#open) if (upstream.storages === storages) upstream.witnessLost();
  }

  /** Those too that come or go. */
  get present(): Open[] {
    return [...this.#open, ...this.#opening, ...this.#leaving];
  }

  get all(): Upstream[] {
    return this.present.map(({ upstream }) => upstream);
  }

  /** What statistics show: one that is being closed as long as no other one has its name. */
  get shown(): Upstream[] {
    const open = this.#open.map(({ upstream }) => upstream);
    const names = new Set(open.map(({ name }) => name));
    return [...open, ...this.#leaving.flatMap(({ upstream }) => (names.has(upstream.name) ? [] : [upstream]))];
  }

  /** `bound`: their addresses are had. Rejects with what that does, and with `ListenError`, nothing then left open. */
  async start(bound: () => Promise<void>): Promise<void> {
    const open = this.#open;
    await this.#orNone(open, async () => {
      await this.#bind(open);
      await bound();
      this.#host.mustGoOn();
    });
    this.#host.opened(open);
    await begin(open);
  }

  /**
   * Carries a plan out. What may fail comes first: certificates, `prepare`, and the addresses that are bound. Then all changes at
   * once, and from then on nothing is refused: who is not needed any more is stopped in order, and who needs what one of these has
   * begins behind that.
   */
  async change(
    { steps, closed }: Plan,
    prepare: (kept: readonly KeptUpstream[]) => Promise<readonly Apply[]>,
  ): Promise<void> {
    const had = new Map(this.#open.map((open) => [open.config, open]));
    const goes = new Set(closed);
    for (const step of steps) if (step.is === "reopened") goes.add(step.before);
    const leaving = this.#open.filter(({ config }) => goes.has(config));
    // Its address is had by one that goes: bound as soon as that has gone.
    const isLate = ({ config }: Open): boolean => leaving.some((old) => sameListener(old.config.listen, config.listen));
    const waits = (one: Open): boolean => isLate(one) || leaving.some((old) => looksOtherwise(old.config, one.config));
    const kept: KeptUpstream[] = [];
    const opening: Open[] = [];
    const open: Open[] = [];
    let changes: readonly Apply[] = [];
    this.#opening = opening;
    await this.#orNone(opening, async () => {
      for (const [index, step] of steps.entries()) {
        const old = step.is === "kept" ? had.get(step.before) : undefined;
        if (step.is === "kept" && old !== undefined) {
          kept.push({ ...old, before: step.before, after: step.after, index });
          open.push({ ...old, config: step.after });
        } else {
          const made = this.#host.make(step.after, index);
          opening.push(made);
          open.push(made);
        }
      }
      changes = await prepare(kept);
      await this.#bind(opening.filter((one) => !isLate(one)));
    });
    this.#open = open;
    this.#opening = [];
    this.#leaving = leaving;
    for (const change of changes) change();
    this.#host.opened(opening);
    const begun = begin(opening.filter((one) => !waits(one)));
    await this.#drain(leaving);
    this.#leaving = [];
    this.#host.mustGoOn();
    this.#host.forget(leaving);
    for (const { upstream } of opening.filter(isLate)) {
      upstream.bind(() => undefined);
      // Who takes the address meanwhile is told of, and it is tried again.
      upstream.bindLater();
    }
    await Promise.all([begun, begin(opening.filter(waits))]);
    this.#host.mustGoOn();
    this.#host.forget(leaving);
  }

  /** What fails, or a stop that comes between, leaves none of these open. */
  async #orNone(open: readonly Open[], act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      for (const { upstream } of open) upstream.stop();
      this.#opening = [];
      throw error;
    }
  }

  /** All or none: the first error, once every address is either bound or not. */
  async #bind(open: readonly Open[]): Promise<void> {
    this.#host.mustGoOn();
    const failures = await Promise.all(open.map(({ upstream, config }) => bind(upstream, config.listen)));
    for (const failure of failures) if (failure !== undefined) throw failure;
    this.#host.mustGoOn();
  }

  /** As a stop, of these alone. */
  #drain(leaving: readonly Open[]): Promise<void> {
    const upstreams = leaving.map(({ upstream }) => upstream);
    const { drainMs } = this.#host;
    return new Promise((done) => stopInOrder({ upstreams, storages: [], clock: systemClock, drainMs }, done));
  }
}

/** Has it the same server, and another way to look at it? What is known of that server begins anew then. */
function looksOtherwise(old: UpstreamConfig, { server, witness }: UpstreamConfig): boolean {
  return formatAddress(old.server) === formatAddress(server) && old.witness !== witness;
}

/** Each listens, or waits for its server or its address. */
async function begin(open: readonly Open[]): Promise<void> {
  await Promise.all(open.map(({ upstream }) => new Promise<void>((done) => upstream.begin(done))));
}

/** Takes the address; resolves to the error where that can't be. */
function bind(upstream: Upstream, listen: Address): Promise<ListenError | undefined> {
  return new Promise((done) => {
    const cancel = systemClock.after(BIND_MS, () => upstream.bindLater());
    upstream.bind((failure) => {
      cancel();
      if (failure === undefined) done(undefined);
      else done(new ListenError(upstream.name, formatAddress(listen), failure.code, { cause: failure.cause }));
    });
  });
}
