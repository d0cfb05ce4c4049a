import { once } from "node:events";
import type { Server } from "node:net";
import { formatAddress } from "../config/address.ts";
import type { AdminAddress } from "../config/admin.ts";
import { Binding } from "../net/binding.ts";

/** Of a socket in the file system: its owner's and its group's. */
const SOCKET = { mode: 0o660 };

/** The servers of an admin address: one for each address that its name has, or one at a path. */
export interface Listening {
  /** As it is: with the port that was free. */
  readonly address: string;
  /** Accepts nobody any more. Resolves when all connections are closed. */
  close(): Promise<void>;
}

/**
 * Takes the address, as an upstream's is taken. `make`: a server that does not listen yet; `hindered`: one that listens has had
 * an error.
 * @throws the system's error where it can't be had
 */
export function listenAt(
  make: () => Server,
  address: AdminAddress,
  hindered: (error: Error) => void,
): Promise<Listening> {
  const made: Server[] = [];
  return new Promise((done, failed) => {
    const makeOne = (): Server => {
      const server = make();
      made.push(server);
      return server;
    };
    const binding = new Binding(makeOne, SOCKET, {
      bound: (bound) => {
        const listening = made.filter((server) => server.listening);
        const close = async (): Promise<void> => {
          const closed = Promise.all(listening.map((server) => once(server, "close")));
          binding.giveUp();
          await closed;
        };
        done({ address: formatAddress(bound), close });
      },
      failed: (code, cause) => failed(errorOf(code, cause)),
      hindered: (code) => hindered(errorOf(code)),
    });
    binding.bind(address);
  });
}

function errorOf(code: string, cause?: unknown): Error {
  return Object.assign(new Error(code, { cause }), { code });
}
