import { Client } from "../wire/client.ts";
import { writeAll } from "../wire/flow.ts";
import * as z5 from "../wire/z5.ts";
import { loadOf } from "./loads.ts";
import { QUICK_STORAGE, type Prepared } from "./measured.ts";

const MIB = 0x10_0000;
export const BLOB_MIB = 64;
const CHUNK = 59_000; // ZEO/ClientStorage.py reads a blob file in such pieces

const CREATED = Buffer.alloc(8);
const TRANSACTION = z5.int(1);
const piece = Buffer.alloc(MIB, "x");

/** One transfer of so many MiB. */
type Transfer = (client: Client, mib: number) => Promise<void>;

/** A stream of `mib` MiB again and again, over one connection. */
async function stream(port: number, mib: number, transfer: Transfer): Promise<Prepared> {
  const client = await Client.connect(port, QUICK_STORAGE);
  return {
    run: async (ms) => {
      client.messages = 0;
      const start = performance.now();
      let amount = 0;
      do {
        await transfer(client, mib);
        amount += mib;
      } while (performance.now() < start + ms);
      return { seconds: (performance.now() - start) / 1000, amount, messages: client.messages };
    },
    close: () => client.close(),
  };
}

/** One reply frame with all the data. */
export function frameDown(port: number, mib = BLOB_MIB): Promise<Prepared> {
  return stream(port, mib, async (client) => {
    const reply = client.next();
    client.send(loadOf(mib * MIB, client.messages));
    await reply;
  });
}

/** One `storea` with all the data. */
export function frameUp(port: number, mib = BLOB_MIB): Promise<Prepared> {
  return stream(port, mib, async (client) => {
    const before = Buffer.concat([Buffer.from("("), z5.bytes(z5.eight(1)), z5.bytes(CREATED)]);
    const after = Buffer.concat([TRANSACTION, Buffer.from("t")]);
    const { head, tail } = z5.around(z5.start(z5.int(0), true, "storea"), before, mib * MIB, after);
    begin(client);
    client.messages++;
    await writeAll(client.socket, [head, ...Array.from({ length: mib }, () => piece), tail]);
    await voteAndAbort(client);
  });
}

/** `receiveBlobChunk` messages. */
export function chunksDown(port: number, mib = BLOB_MIB): Promise<Prepared> {
  return stream(port, mib, async (client) => {
    client.send(z5.call(z5.int(7), "sendBlob", z5.tuple(z5.bytes(z5.eight(mib * MIB)), z5.bytes(CREATED))));
    await new Promise<void>((resolve) => {
      client.onFrame = (head) => {
        if (z5.readHead(head).method === ".reply") resolve();
      };
    });
  });
}

/** `storeBlobChunk` messages. */
export function chunksUp(port: number, mib = BLOB_MIB): Promise<Prepared> {
  const chunk = z5.oneWay("storeBlobChunk", z5.bytes(piece.subarray(0, CHUNK)));
  const end = z5.tuple(z5.bytes(z5.eight(1)), z5.bytes(CREATED), z5.bytes(Buffer.from("record")), TRANSACTION);
  return stream(port, mib, async (client) => {
    const chunks = Array.from({ length: Math.ceil((mib * MIB) / CHUNK) }, () => chunk);
    begin(client);
    client.send(z5.oneWay("storeBlobStart", z5.EMPTY));
    client.messages += chunks.length;
    await writeAll(client.socket, chunks);
    client.send(z5.oneWay("storeBlobEnd", end));
    await voteAndAbort(client);
  });
}

function begin(client: Client): void {
  client.send(
    z5.oneWay("tpc_begin", z5.tuple(TRANSACTION, z5.text("u"), z5.text("d"), z5.NONE, z5.NONE, z5.text(" "))),
  );
}

/** The vote's reply tells that all was read. */
async function voteAndAbort(client: Client): Promise<void> {
  await client.ask("vote", z5.tuple(TRANSACTION));
  client.send(z5.oneWay("tpc_abort", z5.tuple(TRANSACTION)));
}
