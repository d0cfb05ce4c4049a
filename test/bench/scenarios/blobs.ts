import { Client } from "../wire/client.ts";
import { writeAll } from "../wire/flow.ts";
import * as z5 from "../wire/z5.ts";
import { loadOf } from "./loads.ts";
import type { Prepared } from "./measured.ts";
import { ID_AT, TPC_ABORT, TPC_BEGIN, TPC_VOTE, VOTE } from "./transaction.ts";

const MIB = 0x10_0000;
const CHUNK = 0x1_0000;
const CREATED = Buffer.alloc(8);
const TRANSACTION = z5.int(1);
const piece = Buffer.alloc(MIB, "x");

/** One transfer of so many MiB. */
type Transfer = (client: Client, mib: number) => Promise<void>;

/** A stream of `mib` MiB again and again, over one connection. */
async function stream(port: number, mib: number, transfer: Transfer): Promise<Prepared> {
  const client = await Client.connect(port);
  return {
    run: async (ms) => {
      client.messages = 0;
      const start = performance.now();
      const waits: number[] = [];
      let now = start;
      do {
        await transfer(client, mib);
        const end = performance.now();
        waits.push(end - now);
        now = end;
      } while (now < start + ms);
      const amount = waits.length * mib;
      return { seconds: (now - start) / 1000, amount, messages: client.messages, waits: waits.sort((a, b) => a - b) };
    },
    close: () => client.close(),
  };
}

/** One reply frame with all the data. */
export function frameDown(port: number, mib: number): Promise<Prepared> {
  return stream(port, mib, async (client) => {
    const reply = client.next();
    client.send(loadOf(mib * MIB, client.messages));
    await reply;
  });
}

/** One `storea` with all the data. */
export function frameUp(port: number, mib: number): Promise<Prepared> {
  return stream(port, mib, async (client) => {
    const before = Buffer.concat([Buffer.from("("), z5.bytes(z5.eight(1)), z5.bytes(CREATED)]);
    const after = Buffer.concat([TRANSACTION, Buffer.from("t")]);
    const { head, tail } = z5.around(z5.start(z5.int(0), true, "storea"), before, mib * MIB, after);
    client.send(TPC_BEGIN);
    client.messages++;
    await writeAll(client.socket, [head, ...Array.from({ length: mib }, () => piece), tail]);
    await voteAndAbort(client);
  });
}

/** `receiveBlobChunk` messages. */
export function chunksDown(port: number, mib: number): Promise<Prepared> {
  const ask = z5.call(z5.int(VOTE), "sendBlob", z5.tuple(z5.bytes(z5.eight(mib * MIB)), z5.bytes(CREATED)));
  return stream(port, mib, async (client) => {
    client.send(ask);
    await new Promise<void>((resolve) => {
      client.onFrame((bytes, start) => {
        if (bytes[start + ID_AT] === VOTE) resolve();
      });
    });
  });
}

/** `storeBlobChunk` messages. */
export function chunksUp(port: number, mib: number): Promise<Prepared> {
  const chunk = z5.oneWay("storeBlobChunk", z5.bytes(piece.subarray(0, CHUNK)));
  const chunks = Array.from({ length: Math.ceil((mib * MIB) / CHUNK) }, () => chunk);
  const start = z5.oneWay("storeBlobStart", z5.EMPTY);
  const values = z5.tuple(z5.bytes(z5.eight(1)), z5.bytes(CREATED), z5.bytes(Buffer.from("record")), TRANSACTION);
  const end = z5.oneWay("storeBlobEnd", values);
  return stream(port, mib, async (client) => {
    client.send(TPC_BEGIN);
    client.send(start);
    client.messages += chunks.length;
    await writeAll(client.socket, chunks);
    client.send(end);
    await voteAndAbort(client);
  });
}

/** The vote's reply tells that all was read. */
async function voteAndAbort(client: Client): Promise<void> {
  const reply = client.next();
  client.send(TPC_VOTE);
  await reply;
  client.send(TPC_ABORT);
}
