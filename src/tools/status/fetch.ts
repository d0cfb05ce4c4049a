import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { codeOf } from "../../net/system-error.ts";

export interface Admin {
  /** Of the admin server, such as `http://127.0.0.1:9180`. */
  readonly url: URL;
  readonly token: string | undefined;
  /** PEM; undefined: the certificates that Node trusts. */
  readonly ca: Buffer | undefined;
  readonly timeoutMs: number;
}

/** More than the status of any proxy. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads `HOST:PORT` or a URL. @returns undefined for anything else */
export function parseAdmin(text: string): URL | undefined {
  const url = /^https?:\/\//.test(text) ? text : `http://${text}`;
  if (!URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  const isPlain = parsed.username === "" && parsed.search === "" && parsed.hash === "" && parsed.hostname !== "";
  return isPlain ? parsed : undefined;
}

/** Why there is no status; a sentence without its point. */
export class NoStatus extends Error {
  override readonly name = "NoStatus";
}

/** Asks a running proxy for its status. @throws NoStatus */
export function fetchStatus({ url, token, ca, timeoutMs }: Admin): Promise<unknown> {
  const target = new URL("status.json", url.href.endsWith("/") ? url : `${url.href}/`);
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      request.destroy();
      reject(new NoStatus(`${url.host}: ${why}`));
    };
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const isSecure = target.protocol === "https:";
    const request = (isSecure ? requestHttps : requestHttp)(target, {
      headers: { accept: "application/json", ...headers },
      timeout: timeoutMs,
      ...(ca === undefined ? {} : { ca }),
    });
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs / 1_000} s`), timeoutMs);
    request.on("error", (error) => {
      clearTimeout(timer);
      const code = codeOf(error);
      fail(brokenText(code));
    });
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_BYTES) fail("the answer is too long");
      });
      response.on("error", (error) => fail(codeOf(error)));
      response.on("end", () => {
        clearTimeout(timer);
        const { statusCode } = response;
        if (statusCode === 401 || statusCode === 403) return fail("it wants a token (--token-file)");
        if (statusCode !== 200) return fail(`the answer is HTTP ${statusCode}: no zeo-proxy?`);
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        } catch {
          fail("the answer is no JSON: no zeo-proxy?");
        }
      });
    });
    request.end();
  });
}

function brokenText(code: string): string {
  if (code === "ECONNREFUSED") return `nobody listens there: is admin.listen configured? (${code})`;
  // What Node's parser of HTTP says of anything else; a server's ZEO, say.
  if (code.startsWith("HPE_")) return `the answer is no HTTP: is that admin.listen? (${code})`;
  return code;
}
