import { isIP, SocketAddress } from "node:net";

/** Addresses with their first `prefix` bits in common; `address` has zeros behind them. */
export interface Network {
  readonly family: "ipv4" | "ipv6";
  /** In one spelling, without a zone. */
  readonly address: string;
  readonly prefix: number;
}

/** What an IPv4 address is written as where a socket is of IPv6, and its length in bits. */
const MAPPED = "::ffff:";
const MAPPED_BITS = 96;

/**
 * An IP address in one spelling, so that equal addresses are equal strings: an IPv4 address that is mapped into IPv6
 * (`::ffff:10.0.0.1`) is the IPv4 one, and a zone (`%eth0`) is left out.
 * @returns undefined where the text is no address
 */
export function plainAddress(text: string): string | undefined {
  const [unzoned = ""] = text.split("%");
  switch (isIP(unzoned)) {
    case 4:
      return unzoned;
    case 6: {
      const { address } = new SocketAddress({ address: unzoned, family: "ipv6" });
      return isMapped(address) ? address.slice(MAPPED.length) : address;
    }
    default:
      return undefined;
  }
}

/**
 * Reads a network, or a single address: `10.0.0.0/8`, `192.0.2.7`, `2001:db8::/32`, `::1`. One of mapped addresses
 * (`::ffff:10.0.0.0/104`) is the IPv4 one. Zones and names are not read.
 * @returns undefined where the text is anything else, or where bits are set behind the prefix: it may be mistyped
 */
export function parseNetwork(text: string): Network | undefined {
  const match = /^([^/%]+)(?:\/(0|[1-9]\d{0,2}))?$/.exec(text);
  const written = match?.[1] ?? "";
  const address = plainAddress(written);
  if (address === undefined) return undefined;
  const family = isIP(address) === 4 ? "ipv4" : "ipv6";
  const bits = family === "ipv4" ? 32 : 128;
  // Of a mapped address the first bits are always the same.
  const ahead = family === "ipv4" && isIP(written) === 6 ? MAPPED_BITS : 0;
  const prefix = match?.[2] === undefined ? bits : Number(match[2]) - ahead;
  if (prefix < 0 || prefix > bits || !endsIn(bitsOf(address), prefix)) return undefined;
  return { family, address, prefix };
}

function isMapped(address: string): boolean {
  return address.startsWith(MAPPED) && address.includes(".");
}

/** Are all bits from there on zeros? */
function endsIn(bits: string, prefix: number): boolean {
  return !bits.slice(prefix).includes("1");
}

/** Of an address in its one spelling: `0` and `1`. */
function bitsOf(address: string): string {
  if (!address.includes(":"))
    return address
      .split(".")
      .map((part) => binary(Number(part), 8))
      .join("");
  const [head = "", tail] = address.split("::");
  const [before, behind] = [groupsOf(head), groupsOf(tail ?? "")];
  const between = tail === undefined ? 0 : 8 - before.length - behind.length;
  return [...before, ...Array.from({ length: between }, () => 0), ...behind].map((group) => binary(group, 16)).join("");
}

/** Sixteen bits each; those that are written as an IPv4 address are two. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    const [a, b, c, d] = group.split(".").map(Number);
    if (a === undefined || b === undefined || c === undefined || d === undefined) return [Number.parseInt(group, 16)];
    return [a * 256 + b, c * 256 + d];
  });
}

function binary(value: number, bits: number): string {
  return value.toString(2).padStart(bits, "0");
}
