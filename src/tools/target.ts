import { formatAddress, parseAddress, type Address } from "../config/address.ts";

/** Where a ZEO server, or a proxy, is reached: `HOST:PORT`, or a Unix socket's path. */
export type Target =
  | { readonly kind: "tcp"; readonly address: Address }
  | { readonly kind: "unix"; readonly path: string };

/** Linux takes no longer one (`sun_path` has 108 bytes with the zero at its end). */
const MAX_PATH_BYTES = 107;

/** Reads `HOST:PORT`, or the absolute path of a Unix socket. @returns undefined when the text is anything else */
export function parseTarget(text: string): Target | undefined {
  if (text.startsWith("/")) {
    const fits = !text.includes("\0") && Buffer.byteLength(text) <= MAX_PATH_BYTES;
    return fits ? { kind: "unix", path: text } : undefined;
  }
  const address = parseAddress(text);
  return address === undefined || address.port === 0 ? undefined : { kind: "tcp", address };
}

/** Writes a target as {@link parseTarget} reads it. */
export function formatTarget(target: Target): string {
  return target.kind === "unix" ? target.path : formatAddress(target.address);
}
