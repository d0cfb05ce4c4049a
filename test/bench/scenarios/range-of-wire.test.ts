import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { StandInConnection } from "../stand-in/connection.ts";
import { StandInStorage } from "../stand-in/storage.ts";
import { Client } from "../wire/client.ts";
import { Observer } from "./observer.ts";
import { RangeOfWire } from "./range-of-wire.ts";
import { Transactions } from "./transaction.ts";
import { Writer } from "./writer.ts";

const TRANSACTIONS = 40;
const OIDS = 3;

async function server(isOld: boolean): Promise<number> {
  const storage = new StandInStorage({ isPatched: false, isOld, isIterable: true });
  const listening = createServer({ noDelay: true }, (socket) => void new StandInConnection(socket, storage));
  listening.listen(0, "127.0.0.1");
  onTestFinished(() => void listening.close());
  await once(listening, "listening");
  return (listening.address() as AddressInfo).port;
}

async function connected(port: number): Promise<Client> {
  const client = await Client.connect(port);
  onTestFinished(() => client.close());
  return client;
}

it.each([
  ["new", false],
  ["old", true],
] as const)("reads all objects of a range from a %s server, created ones too", async (_, isOld) => {
  const port = await server(isOld);
  const client = await connected(port);
  expect(client.isOld).toBe(isOld);
  const writer = new Writer(client, new Transactions(OIDS, 0), new Observer(OIDS, () => undefined, isOld));
  for (let n = 0; n < TRANSACTIONS; n++) await new Promise<void>((resolve) => writer.commit(resolve));
  const range = new RangeOfWire(await connected(port), OIDS);
  expect(await range.read(1001, 1000 + TRANSACTIONS)).toBe(TRANSACTIONS * OIDS);
  expect(await range.read(1002, 1004)).toBe(3 * OIDS);
});
