import { EmbeddedClient } from "../../embedded/client.ts";
import { answerTo } from "../../witness/answer.ts";
import type { Protocol } from "../../wire/handshake.ts";
import { dialTarget, type TlsClient } from "../dial.ts";
import { formatTarget, type Target } from "../target.ts";

/** A server that has greeted, and how one talks to it. */
export interface Site {
  readonly target: Target;
  readonly tls: TlsClient | undefined;
  /** What it announced. */
  readonly protocol: Protocol;
  readonly timeoutMs: number;
}

/** What to answer to its greeting. What applications put into a transaction's extension can't be sent in msgpack. */
export function spoken({ protocol }: Site): string {
  return (answerTo(protocol) ?? protocol).name;
}

/** A connection that has shaken hands and not registered. Rejects as `EmbeddedClient.connect` does. */
export function open(site: Site, protocol = spoken(site)): Promise<EmbeddedClient> {
  const { target, tls, timeoutMs } = site;
  return EmbeddedClient.connect({
    host: formatTarget(target),
    port: 0,
    dial: () => dialTarget(target, tls),
    protocol,
    register: false,
    timeoutMs,
  });
}

/** One that has registered, too. Rejects with a `RemoteError` where the server refuses. */
export async function enter(site: Site, storage: string, readOnly: boolean): Promise<EmbeddedClient> {
  const client = await open(site);
  try {
    // Asked for by all old clients before they register (ZEO 4.3.1 `ClientStorage.testConnection`).
    if (client.family === "old" && (await client.call("getAuthProtocol")) !== null) throw new WantsPassword();
    await client.register(storage, readOnly);
    return client;
  } catch (error) {
    client.destroy();
    throw error;
  }
}

/** The server wants a password (ZODB3, ZEO 4). */
export class WantsPassword extends Error {
  override readonly name = "WantsPassword";

  constructor() {
    super("the server wants a password");
  }
}
