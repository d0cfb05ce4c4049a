import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { AdminConfig } from "../config/admin.ts";
import { ConfigError } from "../config/problem.ts";
import { codeOf } from "../net/system-error.ts";

// Files that the admin server needs, read once at the start. What is secret in them no message shows.

/** More than a chain of certificates needs; nothing larger is read. */
const MAX_BYTES = 256 * 1024;
/** Shorter ones are guessed. */
const MIN_TOKEN = 32;
const MAX_TOKEN = 1024;
/** Permission bits of those who are neither owner nor group. */
const OTHERS = 0o007;

/** PEM, as Node takes it. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** What the files of a configuration hold; undefined where it names none. */
export interface Secrets {
  readonly token: string | undefined;
  readonly credentials: Credentials | undefined;
}

/**
 * Reads all that the configuration names.
 * @throws ConfigError where one can't be used
 */
export function readSecrets({ tls, tokenFile }: AdminConfig): Secrets {
  return {
    token: tokenFile === undefined ? undefined : readToken(tokenFile),
    credentials: tls === undefined ? undefined : readCredentials(tls.certificate, tls.key),
  };
}

/**
 * The token in that file: one line of 32 to 1,024 visible ASCII characters.
 * @throws ConfigError where it can't be read, others may read it, or it is no such line
 */
export function readToken(file: string): string {
  const token = read(file, "admin.token-file", true).trim();
  const isGood = token.length >= MIN_TOKEN && token.length <= MAX_TOKEN && /^[\x21-\x7e]+$/.test(token);
  if (isGood) return token;
  throw problem(
    "admin.token-file",
    `a line of ${MIN_TOKEN} to ${MAX_TOKEN} visible characters in ${file}`,
    "another text",
  );
}

/**
 * @throws ConfigError where one can't be read, others may read the key, or they do not belong together
 */
export function readCredentials(certificate: string, keyFile: string): Credentials {
  const cert = read(certificate, "admin.tls.certificate", false);
  const key = read(keyFile, "admin.tls.key", true);
  try {
    createSecureContext({ cert, key, minVersion: "TLSv1.2" });
  } catch (error) {
    throw problem("admin.tls", `a certificate and its key in ${certificate} and ${keyFile}`, codeOf(error), error);
  }
  return { cert, key };
}

function read(file: string, path: string, isSecret: boolean): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const { mode } = fstatSync(descriptor);
    if (isSecret && (mode & OTHERS) !== 0) {
      throw problem(path, `a file that nobody but its owner and its group may use`, `${file} with mode ${octal(mode)}`);
    }
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    if (length > MAX_BYTES) throw problem(path, `a file of at most ${MAX_BYTES} bytes`, `a larger one, ${file}`);
    return buffer.toString("utf8", 0, length);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw problem(path, "a file that can be read", `${codeOf(error)} for ${file}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function problem(path: string, expected: string, got: string, cause?: unknown): ConfigError {
  return new ConfigError([{ path, message: `expected ${expected}, got ${got}` }], { cause });
}
