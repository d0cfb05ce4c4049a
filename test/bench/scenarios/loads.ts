import { Client, closeAll, forgetMessages, sumOfMessages } from "../wire/client.ts";
import * as z5 from "../wire/z5.ts";
import { QUICK_STORAGE, type Prepared } from "./measured.ts";

/** A small object. */
const SIZE = 400;

/** Small loads: each of `clients` has `inFlight` of them on the way. */
export async function loads(port: number, clients: number, inFlight: number): Promise<Prepared> {
  const all = await Client.connectMany(clients, port, QUICK_STORAGE);
  return {
    run: async (ms) => {
      forgetMessages(all);
      const start = performance.now();
      const counts = await Promise.all(all.map((client) => keepLoading(client, inFlight, start + ms)));
      const seconds = (performance.now() - start) / 1000;
      return { seconds, amount: counts.reduce((sum, count) => sum + count, 0), messages: sumOfMessages(all) };
    },
    close: () => closeAll(all),
  };
}

/** Resolves to the number of loads, when the last of them is answered. */
function keepLoading(client: Client, inFlight: number, until: number): Promise<number> {
  return new Promise((resolve) => {
    let sent = 0;
    let answered = 0;
    const send = (): void => {
      client.send(loadOf(SIZE, sent++));
    };
    client.onFrame = (_head, length) => {
      if (length < SIZE) throw new Error(`a reply of ${length} bytes`);
      answered++;
      if (performance.now() < until) send();
      else if (answered === sent) resolve(answered);
    };
    for (let i = 0; i < inFlight; i++) send();
  });
}

const template = loadTemplate();

function loadTemplate(): {
  readonly frame: Buffer;
  readonly oids: readonly number[];
  readonly tids: readonly number[];
} {
  const oid = Buffer.from("oid=oid=");
  const tid = Buffer.from("tid=tid=");
  // ZEO 5 numbers a load by what it asks for; without the tuple's own mark.
  const key = z5.tuple(z5.bytes(oid), z5.bytes(tid));
  const frame = z5.call(key, "loadBefore", key);
  const at = (what: Buffer): number[] => [frame.indexOf(what), frame.lastIndexOf(what)];
  return { frame, oids: at(oid), tids: at(tid) };
}

/** A `loadBefore` of the object of so many bytes. */
export function loadOf(size: number, number: number): Buffer {
  const frame = Buffer.from(template.frame);
  for (const at of template.oids) {
    frame.writeUInt32BE(0, at);
    frame.writeUInt32BE(size, at + 4);
  }
  for (const at of template.tids) {
    frame.writeUInt32BE(0x7fffffff, at);
    frame.writeUInt32BE(number >>> 0, at + 4);
  }
  return frame;
}
