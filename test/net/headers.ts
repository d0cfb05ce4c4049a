/** PROXY headers as a balancer writes them. */
const SIGNATURE = "0d0a0d0a000d0a515549540a";

/** Version 1. */
export function lineHeader(family: string, from: string, to: string, fromPort: number, toPort: number): Buffer {
  return Buffer.from(`PROXY ${family} ${from} ${to} ${fromPort} ${toPort}\r\n`, "latin1");
}

/** Version 2: `command` with the version, `family` with the transport, and all that stands behind the length. */
export function binaryHeader(command: number, family: number, rest: Buffer): Buffer {
  const fixed = Buffer.alloc(4);
  fixed.writeUInt8(command, 0);
  fixed.writeUInt8(family, 1);
  fixed.writeUInt16BE(rest.length, 2);
  return Buffer.concat([Buffer.from(SIGNATURE, "hex"), fixed, rest]);
}
