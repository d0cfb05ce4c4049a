import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import { writeAll } from "../wire/flow.ts";
import * as z5 from "../wire/z5.ts";
import { storesOf } from "./created.ts";
import type { Measured, Prepared } from "./measured.ts";
import { nextOids, Observer } from "./observer.ts";
import type { Place } from "./place.ts";
import { replyTo } from "./replies.ts";
import { FINISH, storeOf, TPC_BEGIN, TPC_FINISH, TPC_VOTE, VOTE } from "./transaction.ts";

/** Two objects are modified, too, so that an unpatched server of ZEO 4 says at once that there is a transaction. */
const MODIFIED = [0x8000_0000, 0x8000_0001];

/**
 * Somebody commits at the server's own port, and those who look on are connected where the others are: the time is that from
 * the `tpc_finish` until the last of them has the announcement.
 */
export async function foreign({ port, serverPort }: Place, created: number, observers: number): Promise<Prepared> {
  const writer = await Client.connect(serverPort);
  const all = await Client.connectMany(observers, port);
  const stage = new Foreign(writer, all, created);
  await stage.look();
  return { run: (ms) => stage.run(ms), close: () => closeAll([writer, ...all]) };
}

class Foreign {
  readonly #writer: Client;
  readonly #all: readonly Client[];
  readonly #writes: readonly Buffer[];
  #waiting = 0;
  #told: () => void = () => undefined;

  constructor(writer: Client, all: readonly Client[], created: number) {
    this.#writer = writer;
    this.#all = all;
    this.#writes = [TPC_BEGIN, ...storesOf(created), ...MODIFIED.map(modifying)];
  }

  /** The first commit's announcements are looked at as a whole. */
  async look(): Promise<void> {
    const oids = oidsIn(this.#writes);
    const looked = Promise.all(this.#all.map((client) => nextOids(client, () => oids)));
    await this.#vote();
    await replyTo(this.#writer, TPC_FINISH, FINISH);
    await looked;
    for (const client of this.#all) {
      const told = (): void => {
        if (--this.#waiting === 0) this.#told();
      };
      new Observer(oids.length, told, client.isOld).listen(client);
    }
  }

  async run(ms: number): Promise<Measured> {
    forgetMessages(this.#all);
    const start = performance.now();
    const waits: number[] = [];
    do waits.push(await this.#commit());
    while (performance.now() < start + ms);
    const seconds = (performance.now() - start) / 1000;
    const amount = waits.length;
    return { seconds, amount, messages: sumOfMessages(this.#all), waits: waits.sort((a, b) => a - b) };
  }

  async #commit(): Promise<number> {
    await this.#vote();
    this.#waiting = this.#all.length;
    const allTold = new Promise<void>((resolve) => (this.#told = resolve));
    const start = performance.now();
    const finished = replyTo(this.#writer, TPC_FINISH, FINISH);
    await allTold;
    const ms = performance.now() - start;
    await finished;
    return ms;
  }

  async #vote(): Promise<void> {
    await writeAll(this.#writer.socket, this.#writes);
    await replyTo(this.#writer, TPC_VOTE, VOTE);
  }
}

function modifying(oid: number): Buffer {
  const { frame, oidAt } = storeOf(false);
  z5.eight(oid).copy(frame, oidAt);
  return frame;
}

/** Of the stores in these bytes, as hexadecimal digits, ascending. */
function oidsIn(writes: readonly Buffer[]): string[] {
  const name = Buffer.from("storea(");
  const oids: string[] = [];
  for (const write of writes) {
    for (let at = write.indexOf(name); at >= 0; at = write.indexOf(name, at + name.length)) {
      const oidAt = at + name.length + 2;
      oids.push(write.toString("hex", oidAt, oidAt + 8));
    }
  }
  return oids.sort();
}
