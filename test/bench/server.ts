import { createServer, type AddressInfo } from "node:net";
import { answerParent } from "./answers.ts";
import { StandInConnection } from "./stand-in/connection.ts";
import { StandInStorage } from "./stand-in/storage.ts";

/**
 * A stand-in for a ZEO 5 server: no file, no conflicts, as cheap as can be, so that what is measured is what stands
 * before it. `patched`: its announcements name created objects, too, as from ZEO 5.2.2 on; `unpatched`: those name the
 * modified ones only.
 */

export type ServerKind = "patched" | "unpatched";

export type ServerAsks = {
  readonly port: { readonly ask: undefined; readonly answer: number };
};

const isPatched = process.argv[2] === "patched";
const storage = new StandInStorage();
const server = createServer({ noDelay: true }, (socket) => {
  void new StandInConnection(socket, storage, isPatched);
});
const listening = new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));

answerParent<ServerAsks>({
  port: async () => {
    await listening;
    return (server.address() as AddressInfo).port;
  },
});
