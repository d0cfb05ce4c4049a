/** Far below what clients use: they count from 0 or 1, and use -1 for heartbeats. All of them fit a signed 32-bit integer. */
const HIGHEST = -(2 ** 30);
const LOWEST = -(2 ** 31);

/**
 * The message ids of the proxy's own questions on one connection. A client may be another proxy, and there may be any
 * number of them in series, each with questions of its own, which are calls like any other to the next one. So that no
 * two meet, each takes its ids from another place. It is drawn from what no two proxies have in common on the way from one
 * client to its server; nothing has to be agreed on, and the same run draws the same. (Of two proxies one time in some
 * hundred million a question may meet another one, and end a session as `id-in-use`.)
 */
export class QuestionIds {
  #next: number;

  /** `between`: which two connections it is about, as text. */
  constructor(between: string) {
    this.#next = HIGHEST - (spread(between) >>> 2);
  }

  /** Another one each time. */
  next(): number {
    const id = this.#next;
    this.#next = id === LOWEST ? HIGHEST : id - 1;
    return id;
  }
}

/** 32 bits that are as good as drawn by chance for each other text (FNV-1a, its bits mixed once more). */
function spread(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
