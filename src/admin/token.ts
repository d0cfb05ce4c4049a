import { createHash, timingSafeEqual } from "node:crypto";

/** What a request must show, where there is one. */
export class Token {
  readonly #digest: Buffer;

  constructor(token: string) {
    this.#digest = digestOf(token);
  }

  isSame(other: Token): boolean {
    return timingSafeEqual(other.#digest, this.#digest);
  }

  /**
   * Does the `Authorization` of a request show it: as `Bearer TOKEN`, or as the password of any user in `Basic`, which is
   * what a browser can ask its user for? How long that takes tells nothing of the token.
   */
  isIn(header: string | undefined): boolean {
    return timingSafeEqual(digestOf(shownBy(header ?? "")), this.#digest);
  }
}

/** The methods, as an answer with status 401 names them. */
export const CHALLENGES = ['Bearer realm="zeo-proxy"', 'Basic realm="zeo-proxy", charset="UTF-8"'] as const;

function shownBy(header: string): string {
  const [, scheme = "", value = ""] = /^(bearer|basic) +(\S+)$/i.exec(header) ?? [];
  if (scheme.toLowerCase() !== "basic") return value;
  const text = Buffer.from(value, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

/** Of one length, whatever was shown. */
function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
