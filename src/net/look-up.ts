import dns from "node:dns";
import type { TcpAddress } from "../config/address.ts";
import { codeOf } from "./system-error.ts";

/**
 * The addresses that a host has, of both families, in the order in which the system names them; each once. One of the two is
 * told, once, and not while this runs.
 * @returns what cancels it
 */
export function lookUp(
  { host }: TcpAddress,
  found: (addresses: readonly string[]) => void,
  failed: (code: string, cause: unknown) => void,
): () => void {
  let isCancelled = false;
  dns.lookup(host, { all: true }, (error, addresses) => {
    if (isCancelled) return;
    if (error !== null) failed(codeOf(error), error);
    else found([...new Set(addresses.map(({ address }) => address))]);
  });
  return () => {
    isCancelled = true;
  };
}
