import type { X509Certificate } from "node:crypto";
import { request, type ClientRequest } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { codeOf } from "../net/system-error.ts";
import type { AdminPlace } from "./admin-place.ts";
import { dialTarget, type TlsClient } from "./dial.ts";
import { downText } from "./watch/reasons.ts";

/** A proxy's admin server, and how it is asked. */
export interface Admin {
  readonly place: AdminPlace;
  readonly token: string | undefined;
  /** PEM; undefined: the certificates that Node trusts. */
  readonly ca: Buffer | undefined;
  /** The very certificate that it must show, whatever that is of, and whoever it names. */
  readonly certificate?: X509Certificate | undefined;
  /** Until the whole answer is there. */
  readonly timeoutMs: number;
}

export interface AdminAnswer {
  /** Of HTTP. */
  readonly status: number;
  readonly body: string;
}

/** More than the status of any proxy. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Why there is no answer; a sentence without its point. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
}

/**
 * Asks for a page, such as `livez`. Nothing is said to who does not show the right certificate.
 * @throws NoAnswer where nobody answers, and where the answer is that a token is needed
 */
export function askAdmin(admin: Admin, page: string): Promise<AdminAnswer> {
  const { place, timeoutMs } = admin;
  return new Promise((resolve, reject) => {
    const { socket, ready } = dialTarget(place.target, tlsOf(admin));
    const end = (): void => {
      clearTimeout(timer);
      socket.destroy();
    };
    const fail = (why: string): void => {
      // What comes of the end is no reason.
      reject(new NoAnswer(`${place.name}: ${why}`));
      end();
    };
    const broken = (error: unknown): string => brokenText(codeOf(error), admin.ca !== undefined);
    const timer = setTimeout(() => fail(`no answer in ${timeoutMs / 1_000} s`), timeoutMs);
    socket.on("error", (error) => fail(broken(error)));
    socket.once("close", () => fail("it has closed the connection"));
    socket.once(ready, () => {
      if (!isRight(socket, admin.certificate)) {
        fail("it shows another certificate than the configuration names: was that renewed, and not reloaded?");
        return;
      }
      const asked = say(socket, admin, page);
      asked.on("error", (error) => fail(broken(error)));
      asked.on("response", (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > MAX_BYTES) fail("the answer is too long");
        });
        response.on("error", (error) => fail(broken(error)));
        response.on("end", () => {
          const { statusCode: status = 0 } = response;
          if (status === 401 || status === 403) fail("it wants a token (--token-file)");
          resolve({ status, body: Buffer.concat(chunks).toString("utf8") });
          end();
        });
      });
    });
  });
}

function say(socket: Socket, { place, token }: Admin, page: string): ClientRequest {
  const asked = request({
    createConnection: () => socket,
    path: `${place.root}${page}`,
    headers: { host: place.host, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
  });
  asked.end();
  return asked;
}

function tlsOf({ place, ca, certificate }: Admin): TlsClient | undefined {
  if (!place.isSecure) return undefined;
  return { verify: certificate === undefined, ...(ca === undefined ? {} : { ca }) };
}

/** Is it the certificate that it is to be? */
function isRight(socket: Socket, certificate: X509Certificate | undefined): boolean {
  if (certificate === undefined || !(socket instanceof TLSSocket)) return true;
  return socket.getPeerX509Certificate()?.fingerprint256 === certificate.fingerprint256;
}

function brokenText(code: string, isCaNamed: boolean): string {
  if (code === "ECONNREFUSED") return `nobody listens there: is admin.listen configured? (${code})`;
  // What Node's parser of HTTP says of anything else; a server's ZEO, say.
  if (code.startsWith("HPE_")) return `the answer is no HTTP: is that admin.listen? (${code})`;
  return downText(code, { isCaNamed });
}
