import { chmodSync, lstatSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { formatAddress } from "../config/address.ts";
import type { AdminAddress } from "../config/admin.ts";
import { codeOf } from "../net/system-error.ts";

/** Of a socket in the file system: its owner's and its group's. */
const SOCKET_MODE = 0o660;

/**
 * Takes the address. A socket that a process has left behind which ended without a word is taken over; one that somebody
 * still listens at is not.
 * @returns the address as it is: the port that was free
 * @throws the system's error
 */
export async function listenAt(server: Server, address: AdminAddress): Promise<string> {
  if (address.path === undefined) {
    await listen(server, address);
    const bound = server.address();
    return bound === null || typeof bound === "string"
      ? formatAddress(address)
      : formatAddress({ ...address, port: bound.port });
  }
  try {
    await listen(server, address);
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE" || !(await isLeft(address.path))) throw error;
    unlinkSync(address.path);
    await listen(server, address);
  }
  chmodSync(address.path, SOCKET_MODE);
  return address.path;
}

function listen(server: Server, address: AdminAddress): Promise<void> {
  return new Promise((done, failed) => {
    const fail = (error: Error): void => {
      server.off("listening", succeed);
      failed(error);
    };
    const succeed = (): void => {
      server.off("error", fail);
      done();
    };
    server.once("error", fail);
    server.once("listening", succeed);
    server.listen(address.path !== undefined ? { path: address.path } : { host: address.host, port: address.port });
  });
}

/** Is it a socket at which nobody listens? */
function isLeft(path: string): Promise<boolean> {
  return new Promise((done) => {
    if (!lstatSync(path).isSocket()) {
      done(false);
      return;
    }
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      done(false);
    });
    probe.once("error", (error) => done(codeOf(error) === "ECONNREFUSED"));
  });
}
