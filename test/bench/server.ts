import { createServer, type AddressInfo, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { answerParent } from "./answers.ts";
import { StandInConnection } from "./stand-in/connection.ts";
import { StandInStorage } from "./stand-in/storage.ts";
import { pem } from "./tls-files.ts";

/**
 * A stand-in for a ZEO 5 server, or for one of ZEO 4: no file, no conflicts, as cheap as can be, so that what is measured is what stands
 * before it. `patched`: its announcements name created objects, too, as from ZEO 5.2.2 on; `unpatched`: those name the
 * modified ones only. `old`: as ZEO 4. `iterable`: what was committed can be iterated over, as far as memory goes.
 * `tls`: it speaks that.
 */

export type ServerKind = "patched" | "unpatched";

export type ServerAsks = {
  readonly port: { readonly ask: undefined; readonly answer: number };
};

const traits = process.argv.slice(2);
const storage = new StandInStorage({
  isPatched: traits.includes("patched"),
  isOld: traits.includes("old"),
  isIterable: traits.includes("iterable"),
});
const take = (socket: Socket): void => void new StandInConnection(socket, storage);
const server = traits.includes("tls")
  ? createTlsServer({ noDelay: true, cert: pem("zeo.pem"), key: pem("zeo.key") }, take)
  : createServer({ noDelay: true }, take);
const listening = new Promise<void>((resolve) => server.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));

answerParent<ServerAsks>({
  port: async () => {
    await listening;
    return (server.address() as AddressInfo).port;
  },
});
