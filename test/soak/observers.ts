import type { PeerClient } from "../peers/client.ts";
import type { TrueTransaction } from "../peers/server.ts";
import type { Random } from "../simulate/random.ts";
import { judgeObserver } from "./observed.ts";
import { pause } from "./pause.ts";
import { again, firstLine, tryIt, type Actor, type Scene } from "./scene.ts";
import { STORAGE, type Site } from "./site.ts";
import type { Tally } from "./tally.ts";

/** Of each kind. */
const STAYING = 2;
const TOLD_MS = 30_000;

/** The clients that only read: what they were told is compared with what was committed. */
export class Observers {
  readonly #site: Site;
  readonly #tally: Tally;
  readonly #staying: PeerClient[] = [];
  /** Those that come and go, with their cache. */
  readonly #visitors: PeerClient[] = [];

  constructor(site: Site, tally: Tally) {
    this.#site = site;
    this.#tally = tally;
  }

  async enter(random: Random): Promise<void> {
    for (const kind of this.#site.clients) {
      const process = await this.#site.process(kind, "observers");
      for (let i = 0; i < STAYING; i++) {
        const client = process.reserve();
        const encoding = this.#site.encoding(kind, random);
        await client.open(this.#site.port, { storage: STORAGE, ...encoding, db: i === 0 });
        // A client whose cache is empty has nothing to verify when it comes back.
        for (const oid of this.#site.shared) await client.load(oid);
        this.#staying.push(client);
      }
    }
  }

  /** Those that stay read now and then, which also shows them tids. */
  readonly watcher: Actor = async (scene) => {
    await Promise.all(
      this.#staying.map(async (client, i) => {
        const own = { ...scene, random: scene.random.fork(i) };
        await again(own, 100, 2_000, async () => {
          await tryIt(own, "an observer's reading", async () => {
            await client.load(own.random.pick(scene.site.shared));
            await client.lastTransaction();
          });
        });
      }),
    );
  };

  /** Comes, reads (or not: its cache stays empty), goes, and comes back with the cache that it has kept. */
  readonly visitor: Actor = async (scene) => {
    const { site, random, tally } = scene;
    const kind = random.pick(site.clients);
    const process = await site.process(kind, "visitors");
    const cache = site.folder("cache");
    const client = process.reserve();
    this.#visitors.push(client);
    const open = async (): Promise<void> => {
      await client.open(site.port, { storage: STORAGE, cache: site.server.dir, name: cache.split("/").at(-1) ?? "" });
    };
    await again(scene, 0, 1_500, async () => {
      await tryIt(scene, "a visit", async () => {
        await open();
        for (let i = random.below(8); i > 0; i--) {
          await client.load(random.pick(site.shared));
          await client.lastTransaction();
          await pause(random.between(0, 200), scene.over);
        }
      });
      if (client.isOpen) await tryIt(scene, "a visitor's leaving", () => client.close());
      tally.add("visits");
    });
    // It verifies once more, and stays to be told of the end.
    await tryIt(scene, "the last visit", open);
  };

  /** The last transaction: everyone is told of it. */
  async settle(scene: Scene): Promise<void> {
    const writer = await this.#site.client(scene.random, "last", { db: true, storage: STORAGE });
    const { tid } = await writer.commit({ modify: this.#site.shared.slice(0, 1) });
    await writer.close();
    for (const client of this.#all) {
      try {
        if (!client.isOpen || (await client.waitTold(tid, TOLD_MS))) continue;
        this.#tally.problem(`${this.#site.name}: an observer is not told of the last transaction`, client.kind);
      } catch (error) {
        this.#tally.problem(`${this.#site.name}: an observer does not answer`, firstLine(error));
      }
    }
  }

  /** They leave, and are compared with the storage's file. */
  async leave(): Promise<void> {
    const there = new Set(this.#all.filter((client) => client.isOpen));
    for (const client of there) {
      try {
        await client.close();
      } catch (error) {
        this.#tally.problem(`${this.#site.name}: an observer's leaving failed`, firstLine(error));
      }
    }
    const truth = await this.#site.server.truth(STORAGE);
    this.#tally.add("observers", this.#all.length);
    for (const client of this.#all) await this.#judge(client, truth, there.has(client));
    this.#staying.length = 0;
    this.#visitors.length = 0;
  }

  async #judge(client: PeerClient, truth: readonly TrueTransaction[], isThere: boolean): Promise<void> {
    const { due, told, verified, dropped, problems } = judgeObserver(await client.told(), truth, isThere);
    this.#tally.add("due", due);
    this.#tally.add("told", told);
    this.#tally.add("verified", verified);
    if (dropped > 0) this.#tally.add("caches dropped", dropped);
    for (const problem of problems) {
      const kind = this.#visitors.includes(client) ? "a visitor" : "an observer";
      this.#tally.problem(`${this.#site.name}: ${kind} was told wrongly`, `${client.kind}: ${problem}`);
    }
  }

  get #all(): readonly PeerClient[] {
    return [...this.#staying, ...this.#visitors];
  }
}
