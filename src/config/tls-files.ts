import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { createSecureContext } from "node:tls";
import { MAX_FILE_BYTES, readBounded, readFailure } from "./bounded-file.ts";

/** Paths of PEM files. */
export interface TlsFiles {
  /** What is shown to the other end, with those that lead to its root behind it. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  /** Whom to trust. */
  readonly ca?: string | undefined;
  /** The oldest version of TLS. */
  readonly minimum: TlsVersion;
}

export type TlsVersion = "1.2" | "1.3";

/** What is in them, as `tls.createSecureContext` takes it. */
export interface TlsTexts {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
}

/** What is wrong with the file of one option: what was expected and what was found, in words. */
export interface TlsProblem {
  readonly option: "certificate" | "key" | "ca";
  readonly message: string;
}

const EVERYBODY = 0o007;

/**
 * Reads the files, and tries whether they fit each other. The key must be one that not everybody on this machine can read.
 * @returns the texts, or what is wrong: at most one problem for each file
 */
export function readTlsFiles(files: TlsFiles): TlsTexts | readonly TlsProblem[] {
  const reader = new Reader();
  const certificate = reader.certificates("certificate", files.certificate);
  const ca = reader.certificates("ca", files.ca);
  const key = reader.key(files.key);
  const first = certificate?.first;
  if (first !== undefined && key !== undefined && !first.checkPrivateKey(key.object)) {
    reader.problem(
      "key",
      `expected the key of the certificate in ${files.certificate}, got another one in ${files.key}`,
    );
  }
  const texts: TlsTexts = {
    ...(certificate !== undefined && { cert: certificate.text }),
    ...(key !== undefined && { key: key.text }),
    ...(ca !== undefined && { ca: ca.text }),
    minVersion: `TLSv${files.minimum}`,
  };
  if (reader.problems.length === 0) reader.tryAll(texts);
  return reader.problems.length === 0 ? texts : reader.problems;
}

export function isProblem(read: TlsTexts | readonly TlsProblem[]): read is readonly TlsProblem[] {
  return Array.isArray(read);
}

class Reader {
  readonly problems: TlsProblem[] = [];

  problem(option: TlsProblem["option"], message: string): void {
    this.problems.push({ option, message });
  }

  certificates(
    option: "certificate" | "ca",
    file: string | undefined,
  ): { readonly text: string; readonly first: X509Certificate } | undefined {
    const read = this.#read(option, file);
    if (read === undefined) return undefined;
    try {
      return { text: read.text, first: new X509Certificate(read.text) };
    } catch {
      this.problem(option, `expected a certificate (PEM), got something else in ${file}`);
      return undefined;
    }
  }

  key(file: string | undefined): { readonly text: string; readonly object: KeyObject } | undefined {
    const read = this.#read("key", file);
    if (read === undefined) return undefined;
    if ((read.mode & EVERYBODY) !== 0) {
      const mode = (read.mode & 0o777).toString(8).padStart(4, "0");
      this.problem("key", `expected a key that not everybody can read, got mode ${mode}: chmod o= ${file}`);
      return undefined;
    }
    try {
      return { text: read.text, object: createPrivateKey(read.text) };
    } catch {
      const found = /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(read.text)
        ? "one with a passphrase"
        : "something else";
      this.problem("key", `expected a private key (PEM) without a passphrase, got ${found} in ${file}`);
      return undefined;
    }
  }

  /** What is left: a chain that can't be read, a key that is too weak. */
  tryAll(texts: TlsTexts): void {
    for (const [option, some] of [
      ["ca", { ca: texts.ca }],
      ["certificate", { ...texts, ca: undefined }],
    ] as const) {
      try {
        createSecureContext(some);
      } catch (error) {
        const { reason, message } = error as Error & { readonly reason?: string };
        this.problem(option, `expected what OpenSSL takes, got: ${reason ?? message}`);
      }
    }
  }

  #read(option: TlsProblem["option"], file: string | undefined): { text: string; mode: number } | undefined {
    if (file === undefined) return undefined;
    try {
      const { bytes, stats } = readBounded(file);
      if (bytes.length <= MAX_FILE_BYTES) return { text: bytes.toString("latin1"), mode: stats.mode };
      this.problem(option, `expected a file of at most 1MiB, got a larger one: ${file}`);
    } catch (error) {
      this.problem(option, `expected a file that can be read, got ${readFailure(error)}: ${file}`);
    }
    return undefined;
  }
}
