import { formatAddress, type Address } from "../../src/config/address.ts";
import type { ConnectionHandler } from "../../src/session/connection.ts";
import type { Dialled, Listened, Transport } from "../../src/upstream/transport.ts";
import { End } from "./end.ts";
import type { Faults, Mix } from "./mix.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";
import type { Visits } from "./visits.ts";

const FNV_PRIME = 0x01000193;
/** How long a dial that is never answered lasts. */
const DIAL_TIMEOUT_US = 120_000_000;

/** A narrow pipe with long delays would never come to rest. */
const CALM_US = 100;

/** Some ways are longer than others: so one can be overtaken by several others, one behind the other. */
const SLOWNESS: readonly number[] = [0, 0.1, 1, 1, 1, 8];

/** Of this much delay the subject's own client is disturbed. */
const MUCH_US = 50_000;

const LOCAL: readonly string[] = ["EMFILE", "ENOBUFS", "EADDRNOTAVAIL", "EAI_AGAIN"];

interface Listener {
  readonly owner: string;
  readonly accepted: (client: End) => void;
}

/** Byte pipes between everyone, with every delay and fault that the seed wants. */
export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #mix: Mix;
  readonly #visits: Visits;
  readonly #listeners = new Map<string, Listener>();
  readonly #open = new Set<End>();
  /** By owner: what takes back a dial or gives up an address. */
  readonly #begun = new Map<string, Set<() => void>>();
  /** By owner: where its own client has dialled. */
  readonly #dialled = new Map<string, Set<string>>();
  #ports = 0;
  #hash = 0x811c9dc5;
  /** Faults stop when the run comes to its end. */
  calm = false;
  /** Bytes that were delivered. */
  bytes = 0;
  /** The end whose `read` runs now. */
  reading: End | undefined;
  trace: ((text: () => string) => void) | undefined;
  /** Told where a subject's own client was, or would have been: it is disturbed, for so many microseconds from now on. */
  onTrouble: ((owner: string, server: string | undefined, us?: number) => void) | undefined;
  /** Told of what a subject writes for the first time on a connection that it dialled: whose it is shows then. */
  onFirstWrite: ((end: End, reading: End | undefined) => void) | undefined;

  constructor(timeline: Timeline, random: Random, mix: Mix, visits: Visits) {
    this.#timeline = timeline;
    this.#random = random;
    this.#mix = mix;
    this.#visits = visits;
  }

  /** Of all bytes that were delivered, with their order and times. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  /** The ends that are still open, of one owner. */
  openOf(owner: string): End[] {
    return [...this.#open].filter((end) => end.owner === owner);
  }

  /** ... of the owner's own client: who closes one is rid of it, whatever the network still does. */
  witnessesOf(owner: string): End[] {
    return this.openOf(owner).filter((end) => end.isWitness && end.isOpen);
  }

  isListening(address: Address): boolean {
    return this.#listeners.has(formatAddress(address));
  }

  /** For somebody who can be killed; then nothing that it has begun goes on. */
  transport(owner: string, isWitness = false): Transport {
    const open = this.#begun.get(owner) ?? new Set<() => void>();
    this.#begun.set(owner, open);
    const noted = (cancel: () => void): (() => void) => {
      open.add(cancel);
      return () => {
        open.delete(cancel);
        cancel();
      };
    };
    return {
      dial: (server, dialled) =>
        noted(this.#hinders(owner) ? this.#hinder(dialled) : this.dial(owner, server, dialled, isWitness)),
      listen: (address, listened) => noted(this.listen(owner, address, listened)),
      shortage: () => (this.#hinders(owner) ? "EMFILE" : undefined),
    };
  }

  /** The machine of whoever has asked can't make connections now. */
  #hinders(owner: string): boolean {
    const isHindered = !this.calm && this.#random.chance(this.#mix.hindered);
    if (isHindered) {
      this.#visits.count("fault: hindered");
      this.onTrouble?.(owner, undefined);
    }
    return isHindered;
  }

  #hinder(dialled: Dialled): () => void {
    const code = this.#random.pick(LOCAL);
    const plan = this.#timeline.plan(this.#latency(), () => dialled.failed(code));
    return () => {
      plan.work = undefined;
    };
  }

  dial(owner: string, address: Address, dialled: Dialled, isWitness = false): () => void {
    let isOver = false;
    let cancelled: (() => void) | undefined;
    const fail = (code: string): void => {
      if (isOver) return;
      isOver = true;
      if (isWitness) this.onTrouble?.(owner, formatAddress(address));
      dialled.failed(code);
    };
    const isAgain = isWitness && this.#isAgain(owner, address);
    const { now } = this.#timeline;
    const fault = this.#chance("dialNever") ? "never" : this.#chance("dialFails") ? "fails" : undefined;
    if (fault !== undefined) this.#visits.count(`fault: dial ${fault}`);
    let plan = this.#timeline.plan(fault === "never" ? DIAL_TIMEOUT_US : this.#latency(), () => {
      if (fault !== undefined) return fail(fault === "never" ? "ETIMEDOUT" : "ECONNREFUSED");
      const listener = this.#listeners.get(formatAddress(address));
      if (listener === undefined) return fail("ECONNREFUSED");
      const [near, far] = this.#pair(owner, listener.owner, address);
      near.isWitness = far.isWitness = isWitness;
      // Something was in the way before, or is.
      if (isAgain || (isWitness && this.#timeline.now - now > MUCH_US)) this.onTrouble?.(owner, formatAddress(address));
      const connected = (): void => {
        if (!near.isOpen) return fail("ECONNRESET");
        if (isOver) return undefined;
        isOver = true;
        return dialled.connected(near);
      };
      const accepted = (): void => {
        if (this.#listeners.get(formatAddress(address)) !== listener) far.break(false);
        else if (far.isOpen) listener.accepted(far);
      };
      plan = this.#timeline.plan(this.#random.below(20), connected);
      this.#timeline.plan(this.#random.chance(0.5) ? 0 : this.#latency(), accepted);
      cancelled = () => {
        if (!isOver) near.carryOut("destroy");
      };
      return undefined;
    });
    return () => {
      // It has waited for long enough.
      if (!isOver && isWitness) this.onTrouble?.(owner, formatAddress(address));
      cancelled?.();
      isOver = true;
      plan.work = undefined;
    };
  }

  /** Not the first dial of that process's own client. */
  #isAgain(owner: string, address: Address): boolean {
    const dialled = this.#dialled.get(owner) ?? new Set();
    this.#dialled.set(owner, dialled);
    const key = formatAddress(address);
    const isAgain = dialled.has(key);
    dialled.add(key);
    return isAgain;
  }

  listen(owner: string, address: Address, listened: Listened): () => void {
    const key = formatAddress(address);
    let isOver = false;
    let listener: Listener | undefined;
    const plan = this.#timeline.plan(this.#random.below(200), () => {
      if (isOver) return;
      if (this.#listeners.has(key)) {
        isOver = true;
        this.#visits.count("fault: address taken");
        listened.failed("EADDRINUSE", undefined);
        return;
      }
      listener = {
        owner,
        accepted: (client) => {
          const isLetIn = listened.door?.admits({ host: undefined, peer: client.peer }) ?? true;
          if (isLetIn) listened.accepted(client);
          else client.break(false);
        },
      };
      this.#listeners.set(key, listener);
      listened.listening(address);
    });
    return () => {
      isOver = true;
      plan.work = undefined;
      if (listener !== undefined && this.#listeners.get(key) === listener) this.#listeners.delete(key);
    };
  }

  /** Somebody else takes an address that is free, for a while. */
  occupy(address: Address, forUs: number): void {
    const key = formatAddress(address);
    if (this.#listeners.has(key)) return;
    const squatter: Listener = { owner: "squatter", accepted: (client) => client.handOver(SILENT) };
    this.#listeners.set(key, squatter);
    this.#timeline.plan(forUs, () => {
      if (this.#listeners.get(key) === squatter) this.#listeners.delete(key);
    });
  }

  /** All that an owner has breaks: its process was killed. */
  kill(owner: string): void {
    this.#dialled.delete(owner);
    for (const cancel of this.#begun.get(owner) ?? []) cancel();
    for (const end of this.openOf(owner)) {
      end.handler = SILENT;
      end.carryOut("destroy");
    }
  }

  #pair(owner: string, other: string, address: Address): [End, End] {
    const port = 20_000 + this.#ports++;
    const near = new End(this, owner, formatAddress(address));
    const far = new End(this, other, `192.0.2.1:${port}`);
    near.other = far;
    far.other = near;
    this.#open.add(near).add(far);
    return [near, far];
  }

  // --- what an end asks -------------------------------------------------------------------------------------------

  window(): number {
    return this.#random.chance(0.5) ? this.#mix.window : this.#random.between(1, this.#mix.window);
  }

  highWater(): number {
    return this.#random.below(this.#mix.highWater + 1);
  }

  /** Of so many bytes that could arrive, how many do. */
  chunk(available: number): number {
    if (!this.#random.chance(this.#mix.chop)) return available;
    // Of much only now and then a little: else one large object takes longer than all the rest.
    if (this.#random.chance(available > 1500 ? 0.9 : 0.5)) return this.#random.between(1, available);
    return Math.min(available, this.#random.chance(0.3) ? 1 : this.#random.between(1, 40));
  }

  resetsUnread(): boolean {
    return this.#random.chance(0.7);
  }

  slowness(): number {
    return this.#random.pick(SLOWNESS);
  }

  flow(work: () => void, slowness: number, end: End): void {
    const us = this.#latency();
    const taken = this.calm ? us : Math.floor(us * slowness);
    if (end.isWitness && taken > MUCH_US) this.witnessTroubled(end, taken);
    this.#timeline.plan(taken, work);
  }

  /** One end of a connection of a subject's own client is disturbed. */
  witnessTroubled(end: End, us?: number): void {
    const { owner, peer } = end.isSubjects ? end : end.other;
    this.onTrouble?.(owner, peer, us);
  }

  soon(work: () => void): void {
    this.#timeline.plan(0, work);
  }

  later(work: () => void): void {
    this.#timeline.plan(this.#random.chance(0.5) ? 0 : this.#latency(), work);
  }

  wrote(end: End, bytes: Buffer): void {
    if (end.link !== undefined || bytes.length === 0 || end.isWitness || this.reading?.isWitness === true) return;
    this.onFirstWrite?.(end, this.reading);
  }

  reads(end: End, bytes: Buffer): void {
    this.reading = end;
    this.bytes += bytes.length;
    let hash = this.#hash ^ this.#timeline.now;
    const { length } = bytes;
    hash = Math.imul(hash ^ length, FNV_PRIME);
    for (let i = 0; i < length && i < 12; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    for (let i = Math.max(12, length - 12); i < length; i++) hash = Math.imul(hash ^ (bytes[i] as number), FNV_PRIME);
    this.#hash = hash;
    this.trace?.(() => `${end.owner} reads ${length} bytes of ${end.peer}`);
  }

  hasRead(): void {
    this.reading = undefined;
  }

  closed(end: End): void {
    this.#open.delete(end);
    this.trace?.(() => `${end.owner}'s connection with ${end.peer} is closed`);
  }

  #latency(): number {
    const { latencyUs, stalls } = this.#mix;
    if (!this.calm && this.#random.chance(stalls)) return this.#random.below(this.#mix.stallUs);
    return this.#random.below(this.calm ? Math.min(latencyUs, CALM_US) + 1 : latencyUs + 1);
  }

  #chance(fault: keyof Faults): boolean {
    return !this.calm && this.#random.chance(this.#mix.faults[fault]);
  }
}

const SILENT: ConnectionHandler = { read() {}, ended() {}, drained() {}, closed() {} };
