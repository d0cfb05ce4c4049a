import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient, type Received } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { NO_TID, tidHex, type Tid } from "../../src/wire/ids.ts";
import { zeoProxy, type CommandProcess } from "./command.ts";
import { atEnd, configFile, leave, stopped } from "./stage.ts";

// Two processes before one server, as for availability: each has clients that write and one that looks on. One of them is
// killed, and started again, while both are written through.

afterEach(leave);

const WAIT_MS = 15_000;
const LIFE_MS = 60_000;

async function until(ready: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!ready()) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    // oxlint-disable-next-line no-await-in-loop -- nobody announces it
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A door at a port of its own, which it keeps when it is started again. */
class Door {
  readonly #server: number;
  #command: CommandProcess | undefined;
  port = 0;

  constructor(server: number) {
    this.#server = server;
  }

  get command(): CommandProcess {
    if (this.#command === undefined) throw new Error("it was not started");
    return this.#command;
  }

  async start(): Promise<void> {
    const upstream = `{ listen: "127.0.0.1:${this.port}", server: "127.0.0.1:${this.#server}" }`;
    this.#command = zeoProxy([
      "run",
      "--config",
      configFile(`upstreams: [${upstream}]\nlimits: { clients: 100 }\nwitness: { poll: 100ms, hold: 15s }\n`),
    ]);
    const { address } = await this.command.line(({ msg }) => msg === "listening", "listening");
    this.port = Number(String(address).split(":")[1]);
  }

  async kill(): Promise<void> {
    this.command.signal("SIGKILL");
    await this.command.ended();
  }
}

/** One who comes back, sooner or later, whenever its connection ends. */
abstract class Returning {
  readonly #doors: readonly [Door, ...Door[]];
  protected isOver = false;

  /** It takes the first that lets it in. */
  constructor(...doors: readonly [Door, ...Door[]]) {
    this.#doors = doors;
    atEnd(() => this.end());
  }

  async run(): Promise<void> {
    while (!this.isOver) {
      let client: EmbeddedClient | undefined;
      try {
        client = await this.#connect();
        await this.live(client);
      } catch {
        // Its proxy is not there, or has gone.
        await new Promise((resolve) => setTimeout(resolve, 10));
      } finally {
        await client?.close();
      }
    }
  }

  end(): void {
    this.isOver = true;
  }

  #connect(): Promise<EmbeddedClient> {
    const [door, ...others] = this.#doors;
    return others.reduce(
      (client, { port }) => client.catch(() => EmbeddedClient.connect({ port })),
      EmbeddedClient.connect({ port: door.port }),
    );
  }

  /** Until its connection ends. */
  protected abstract live(client: EmbeddedClient): Promise<void>;
}

class Writer extends Returning {
  readonly #from: number;
  #count = 0;
  commits = 0;

  constructor(door: Door, from: number) {
    super(door);
    this.#from = from;
  }

  protected async live(client: EmbeddedClient): Promise<void> {
    const commit = new ClientCommit(client);
    const own: string[] = [];
    while (!this.isOver) {
      const create = [(this.#from + this.#count++).toString(16).padStart(16, "0")];
      const [first, second] = own;
      if (second === undefined || this.#count % 3 === 0) await commit.commit({ create });
      else if (this.#count % 3 === 1) await commit.commit({ create, modify: [second] });
      else {
        await commit.commit({ create, delete: [first ?? second] });
        own.shift();
      }
      own.push(...create);
      this.commits++;
    }
  }
}

/** An answer to `getInvalidations`. */
interface Resumed {
  readonly from: Tid;
  readonly to: Tid;
  readonly oids: ReadonlySet<string>;
}

/** It looks on, and keeps the tid at which its cache would stand. */
class Observer extends Returning {
  readonly told: { readonly tid: Tid; readonly oids: readonly string[] }[] = [];
  readonly resumed: Resumed[] = [];
  /** `getInvalidations` that were answered None. */
  none = 0;
  start: Tid | undefined;
  stands: Tid = NO_TID;

  protected async live(client: EmbeddedClient): Promise<void> {
    const from = this.stands;
    const hear = (one: Received): void => {
      if (one.type !== "invalidation") return;
      this.told.push(one);
      if (one.tid > this.stands) this.stands = one.tid;
    };
    client.received.forEach(hear);
    client.on("received", hear);
    const last = await client.lastTransaction();
    if (this.start === undefined) {
      this.start = last;
      this.stands = last;
    } else if (last > from) {
      const answer = await client.getInvalidations(from);
      if (answer === undefined) this.none++;
      else {
        this.resumed.push({ from, to: answer.tid, oids: new Set(answer.oids) });
        if (answer.tid > this.stands) this.stands = answer.tid;
      }
    }
    await client.whenClosed(LIFE_MS);
  }
}

describe.each(["Z4", "Z5"] as const)("two proxies before one %s server", (protocol) => {
  it("tell everyone of all commits, completely and in order, though one is killed and started again", async () => {
    const server = new EmbeddedServer({ protocol });
    await server.start();
    atEnd(() => server.close());
    const doors = [new Door(server.port), new Door(server.port)] as const;
    await Promise.all(doors.map((door) => door.start()));
    const observers = doors.map((door) => new Observer(door));
    // One has both addresses. (A proxy before an old server may tell it again of what the other one has told it last.)
    if (protocol === "Z5") observers.push(new Observer(...doors));
    const lives = observers.map((observer) => observer.run());
    await until(() => observers.every(({ start }) => start !== undefined), "the observers");
    const writers = [0, 1, 2, 3].map((n) => new Writer(doors[n % 2 === 0 ? 0 : 1], 1 + 100_000 * n));
    const [first, second] = [writers[0], writers[1]];
    lives.push(...writers.map((writer) => writer.run()));
    const made = (): number => server.storage().transactions.length;
    await until(() => writers.every(({ commits }) => commits > 10), "commits through both");
    await doors[0].kill();
    const without = made();
    await until(() => made() > without + 30, "commits through the one that is left");
    await doors[0].start();
    const before = [first?.commits ?? 0, second?.commits ?? 0];
    await until(
      () => [first, second].every((writer, n) => (writer?.commits ?? 0) > (before[n] ?? 0) + 10),
      "commits through both again",
    );
    for (const writer of writers) writer.end();
    await Promise.all(lives.slice(observers.length));
    const last = server.storage().lastTransaction();
    await until(() => observers.every(({ stands }) => stands >= last), "all to be told");
    for (const observer of observers) observer.end();

    for (const observer of observers) expect(faultsOf(observer, server)).toEqual([]);
    // Who was connected all the time heard of each by itself.
    expect(observers[1]?.resumed).toEqual([]);
    expect(observers[0]?.resumed).toHaveLength(1);
    for (const { command } of doors) {
      const lines = await stopped(command);
      // That something waits for long is the machine's affair here.
      expect(lines.filter(({ level, heldMs }) => level !== "info" && heldMs === undefined)).toEqual([]);
      expect(lines.some(({ source }) => source === "foreign")).toBe(true);
      expect(lines.some(({ source }) => source === "client")).toBe(true);
    }
    await Promise.all(lives);
  });
});

/** What somebody who knows the database has to say against what it was told. */
function faultsOf(observer: Observer, server: EmbeddedServer): string[] {
  const faults: string[] = [];
  const { told, resumed, start = NO_TID } = observer;
  if (observer.none > 0) faults.push(`${observer.none} times None`);
  for (const [n, { tid }] of told.entries()) {
    const previous = told[n - 1]?.tid ?? start;
    if (tid <= previous) faults.push(`${tidHex(tid)} behind ${tidHex(previous)}`);
  }
  const byTid = new Map(told.map(({ tid, oids }) => [tid, [...oids].sort()]));
  for (const { tid, records } of server.storage().transactions) {
    if (tid <= start) continue;
    const oids = records.map(({ oid }) => oid.toString("hex")).sort();
    const named = byTid.get(tid);
    byTid.delete(tid);
    const covers = ({ from, to, oids: all }: Resumed): boolean =>
      from < tid && tid <= to && oids.every((oid) => all.has(oid));
    if (named === undefined ? resumed.some(covers) : named.join() === oids.join()) continue;
    faults.push(`${tidHex(tid)} changed ${oids.join()}, told: ${named?.join() ?? "nothing"}`);
  }
  for (const tid of byTid.keys()) faults.push(`${tidHex(tid)} is not in the database`);
  return faults;
}
