import type { Client } from "../wire/client.ts";
import { ID_AT } from "./transaction.ts";

/** Calls, and waits for the reply with this small id, whatever comes before it. */
export function replyTo(client: Client, frame: Buffer, id: number): Promise<void> {
  return new Promise((resolve) => {
    client.onFrame((bytes, start) => {
      if (bytes[start + ID_AT] === id) resolve();
    });
    client.send(frame);
  });
}
