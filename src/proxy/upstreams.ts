import { formatAddress, sameListener, type Address } from "../config/address.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { systemClock } from "../net/system-clock.ts";
import { stopInOrder } from "../upstream/stopping.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { ListenError } from "./errors.ts";
import type { Plan } from "./plan.ts";
import type { Apply, KeptUpstream } from "./reloadable.ts";

/** For so long a start waits for a name of a listening address, before it begins to serve the others. */
const BIND_MS = 1_000;

/** An upstream, and the configuration that it has. */
export interface Open {
  readonly upstream: Upstream;
  readonly config: UpstreamConfig;
}

export interface UpstreamsHost {
  /** Makes one, which opens nothing yet. */
  make(config: UpstreamConfig): Upstream;
  /** Throws where the proxy is stopped. */
  mustGoOn(): void;
  /** `limits.drain` */
  readonly drainMs: number;
  /** These are gone. Called when they are, and again when those that may take their place know their server. */
  forget(gone: readonly Open[]): void;
}

/** The process's upstreams: which are open, and how they become others. */
export class Upstreams {
  readonly #host: UpstreamsHost;
  #open: readonly Open[] = [];
  /** Those that a reload opens, as long as it may still be refused, and those that it closes. */
  #opening: readonly Open[] = [];
  #leaving: readonly Open[] = [];

  constructor(host: UpstreamsHost) {
    this.#host = host;
  }

  /** In the order of the configuration. */
  get open(): readonly Open[] {
    return this.#open;
  }

  /** Those too that come or go. */
  get all(): Upstream[] {
    return [...this.#open, ...this.#opening, ...this.#leaving].map(({ upstream }) => upstream);
  }

  /** What statistics show: one that is being closed as long as no other one has its name. */
  get shown(): Upstream[] {
    const open = this.#open.map(({ upstream }) => upstream);
    const names = new Set(open.map(({ name }) => name));
    return [...open, ...this.#leaving.flatMap(({ upstream }) => (names.has(upstream.name) ? [] : [upstream]))];
  }

  /** The first ones; `bound`: their addresses are had. Rejects with `ListenError`, nothing then left open. */
  async start(configs: readonly UpstreamConfig[], bound: () => void): Promise<void> {
    this.#open = configs.map((config) => this.#make(config));
    await this.#bind(this.#open, this.#open);
    bound();
    await begin(this.#open);
  }

  /**
   * Carries a plan out. What may fail comes first: `prepare`, and the addresses that are bound. Then all changes at once, and from
   * then on nothing is refused: who is not needed any more is stopped in order, and who needs what one of these has begins
   * behind that.
   */
  async change(
    { steps, closed }: Plan,
    prepare: (kept: readonly KeptUpstream[]) => Promise<readonly Apply[]>,
  ): Promise<void> {
    const had = new Map(this.#open.map((open) => [open.config, open]));
    const goes = new Set(closed);
    const kept: KeptUpstream[] = [];
    const opening: Open[] = [];
    const open = steps.map((step): Open => {
      const old = step.is === "kept" ? had.get(step.before) : undefined;
      if (step.is === "kept" && old !== undefined) {
        kept.push({ upstream: old.upstream, before: step.before, after: step.after });
        return { upstream: old.upstream, config: step.after };
      }
      if (step.is === "reopened") goes.add(step.before);
      const made = this.#make(step.after);
      opening.push(made);
      return made;
    });
    const leaving = this.#open.filter(({ config }) => goes.has(config));
    // Its address is had by one that goes: bound as soon as that has gone.
    const isLate = ({ config }: Open): boolean => leaving.some((old) => sameListener(old.config.listen, config.listen));
    const waits = (one: Open): boolean => isLate(one) || leaving.some((old) => looksOtherwise(old.config, one.config));
    this.#opening = opening;
    let changes: readonly Apply[] = [];
    const early = opening.filter((one) => !isLate(one));
    await this.#bind(early, opening, async () => {
      changes = await prepare(kept);
    });
    this.#open = open;
    this.#opening = [];
    this.#leaving = leaving;
    for (const change of changes) change();
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

  #make(config: UpstreamConfig): Open {
    return { upstream: this.#host.make(config), config };
  }

  /** All or none: the first error, once every address is either bound or not. Then none of `all` is left open. */
  async #bind(open: readonly Open[], all: readonly Open[], before: () => Promise<void> = async () => undefined) {
    try {
      await before();
      this.#host.mustGoOn();
      const failures = await Promise.all(open.map(({ upstream, config }) => bind(upstream, config.listen)));
      for (const failure of failures) if (failure !== undefined) throw failure;
      this.#host.mustGoOn();
    } catch (error) {
      for (const { upstream } of all) upstream.stop();
      this.#opening = [];
      throw error;
    }
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
