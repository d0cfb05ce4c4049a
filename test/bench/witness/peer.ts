import type { Pair, Result } from "../result.ts";

export interface Peer {
  readonly pair: Pair;
  readonly words: string;
}

const PEERS: readonly Peer[] = [
  { pair: "watched:proxy", words: "of the proxy's without a witness" },
  { pair: "watched:pipe", words: "of the pipe's" },
  { pair: "watched:direct", words: "of the direct way's" },
];

/** With what the proxy with a witness is compared: what is nearest to it in the same turns. Undefined: there is none. */
export function peerOf({ ratios }: Result): Peer | undefined {
  return PEERS.find(({ pair }) => ratios[pair]?.figure !== undefined);
}
