import { tellObserved } from "../happening/observed.ts";
import type { Connection } from "./connection.ts";
import type { SessionHost } from "./host.ts";
import type { Memory } from "./memory.ts";
import { Session } from "./session.ts";

/** What shadows may keep of messages, all of an upstream's together: beyond it the largest of them is given up. */
export const SHADOW_BYTES = 64 * 1024 * 1024;

/** A session that reads along between two connections that lead nowhere. `host`: that of the one that is observed. */
export function shadowOf(host: SessionHost<Session>, memory: Memory, client: Connection, server: Connection): Session {
  const shadow: Session = new Session(client, server, {
    // What may change is asked for when it is needed. What would be refused is relayed.
    settings: {
      get name() {
        return host.settings.name;
      },
      limits: host.settings.limits,
      refuseUnknown: false,
    },
    clock: host.clock,
    storages: host.storages.shadows,
    memory,
    // What passes is counted once: here.
    messages: host.messages,
    report: tellObserved(host.report),
    isShadow: true,
    serverGreets: () => host.serverGreets(),
    tell: (session, news) => {
      if (news === "greeted") host.tell(session, news);
    },
  });
  client.handOver(shadow.fromClient);
  server.handOver(shadow.fromServer);
  return shadow;
}
