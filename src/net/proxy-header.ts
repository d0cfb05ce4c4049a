import { isIPv4, isIPv6 } from "node:net";
import { plainAddress } from "../config/network.ts";

// What a balancer puts before all that its client says, to tell who that is. Both forms are HAProxy's (proxy-protocol.txt in its
// documentation, of 2020): version 1 is a line, `PROXY TCP4 192.0.2.7 192.0.2.1 56324 9100` and CR LF; version 2 is a signature,
// four bytes (version and command, family and transport, length of what follows), addresses, and whatever else the balancer
// tells, which is skipped.

/** Who the balancer's client is. */
export interface Source {
  /** In one spelling (`plainAddress`). */
  readonly address: string;
  readonly port: number;
}

/** What the first bytes of a connection are. */
export type HeaderReading =
  /** Nothing else than the beginning of a header so far. */
  | { readonly is: "unfinished" }
  /** They do not begin like one. */
  | { readonly is: "none" }
  /** They do, and can't be one. */
  | { readonly is: "bad" }
  /** `length`: in bytes. `source` undefined: the balancer speaks for itself, or names no address of TCP. */
  | { readonly is: "whole"; readonly length: number; readonly source: Source | undefined };

const UNFINISHED: HeaderReading = { is: "unfinished" };
const NONE: HeaderReading = { is: "none" };
const BAD: HeaderReading = { is: "bad" };

const LINE_START = Buffer.from("PROXY ", "latin1");
/** With its CR LF. */
const MOST_LINE_BYTES = 107;
const CR = 13;
const LF = 10;

const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
const FIXED_BYTES = 16;
/** Behind the fixed bytes; what balancers tell there is some hundred bytes, with a certificate's name. */
const MOST_REST_BYTES = 4096;

/** No header is longer. */
export const MOST_HEADER_BYTES = FIXED_BYTES + MOST_REST_BYTES;

/** Reads the header that a connection begins with. `bytes`: all that has come of it so far; nothing of them is kept. */
export function readProxyHeader(bytes: Buffer): HeaderReading {
  if (startsLike(bytes, LINE_START)) return bytes.length < LINE_START.length ? UNFINISHED : readLine(bytes);
  if (startsLike(bytes, SIGNATURE)) return bytes.length < SIGNATURE.length ? UNFINISHED : readBinary(bytes);
  return NONE;
}

/** As far as both reach. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const common = Math.min(bytes.length, start.length);
  return bytes.compare(start, 0, common, 0, common) === 0;
}

// --- version 1 ------------------------------------------------------------------------------------------------------

function readLine(bytes: Buffer): HeaderReading {
  const line = bytes.subarray(0, MOST_LINE_BYTES);
  const [cr, lf] = [line.indexOf(CR), line.indexOf(LF)];
  if (lf >= 0) return cr === lf - 1 ? readWords(line.toString("latin1", 0, cr), lf + 1) : BAD;
  const hasRoom = line.length < MOST_LINE_BYTES;
  return hasRoom && (cr < 0 || cr === line.length - 1) ? UNFINISHED : BAD;
}

function readWords(line: string, length: number): HeaderReading {
  const [, family, ...words] = line.split(" ");
  // What else stands there says nothing.
  if (family === "UNKNOWN") return { is: "whole", length, source: undefined };
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isUnzonedIPv6 : undefined;
  const [from = "", to = "", fromPort = "", toPort = "", ...more] = words;
  if (isAddress === undefined || more.length > 0) return BAD;
  if (!isAddress(from) || !isAddress(to) || !isPort(fromPort) || !isPort(toPort)) return BAD;
  return whole(length, from, Number(fromPort));
}

function isUnzonedIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

// --- version 2 ------------------------------------------------------------------------------------------------------

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

/** Source and destination, each with its port. */
const IPV4_BYTES = 12;
const IPV6_BYTES = 36;

/** Each byte is looked at as soon as it is there: what can't become a header is not waited for. */
function readBinary(bytes: Buffer): HeaderReading {
  const [command, family] = [bytes[12], bytes[13]];
  if (command === undefined) return UNFINISHED;
  if (command !== LOCAL && command !== PROXY) return BAD;
  if (family === undefined) return UNFINISHED;
  // Of its own connections the balancer may say anything here.
  if (command === PROXY && !isKnown(family)) return BAD;
  if (bytes.length < FIXED_BYTES) return UNFINISHED;
  const rest = bytes.readUInt16BE(14);
  const length = FIXED_BYTES + rest;
  const least =
    command === LOCAL ? 0 : family === TCP_OVER_IPV4 ? IPV4_BYTES : family === TCP_OVER_IPV6 ? IPV6_BYTES : 0;
  if (rest < least || rest > MOST_REST_BYTES) return BAD;
  if (bytes.length < length) return UNFINISHED;
  if (least === IPV4_BYTES) return whole(length, ipv4At(bytes, 16), bytes.readUInt16BE(24));
  if (least === IPV6_BYTES) return whole(length, ipv6At(bytes, 16), bytes.readUInt16BE(48));
  return { is: "whole", length, source: undefined };
}

/** Families: unspecified, IPv4, IPv6, Unix; transports: unspecified, stream, datagram. All but two count as unspecified here. */
function isKnown(family: number): boolean {
  return family >> 4 <= 3 && (family & 15) <= 2;
}

function ipv4At(bytes: Buffer, at: number): string {
  return bytes.subarray(at, at + 4).join(".");
}

function ipv6At(bytes: Buffer, at: number): string {
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(at + 2 * group).toString(16)).join(":");
}

function whole(length: number, written: string, port: number): HeaderReading {
  const address = plainAddress(written);
  return address === undefined ? BAD : { is: "whole", length, source: { address, port } };
}
