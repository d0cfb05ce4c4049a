import { readFileSync } from "node:fs";
import { InvalidArgumentError, Option, type Command } from "commander";
import { parseDuration } from "../config/units.ts";
import { codeOf } from "../net/system-error.ts";
import type { TlsClient } from "../tools/dial.ts";
import { parseTarget, type Target } from "../tools/target.ts";

// What the tools that connect to a server have in common.

export interface TlsOptions {
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tlsCertificate?: string;
  readonly tlsKey?: string;
  readonly tlsName?: string;
  readonly tlsInsecure?: true;
}

/** Adds what says how TLS is spoken with the server. */
export function addTlsOptions(command: Command): Command {
  return command
    .option("--tls", "speak TLS with the server; each of the following says that, too")
    .option("--tls-ca <file>", "the authority of its certificate (PEM), instead of those that Node trusts")
    .option("--tls-certificate <file>", "a certificate for this client (PEM)")
    .option("--tls-key <file>", "and its key (PEM)")
    .option("--tls-name <host>", "what the server's certificate must name, instead of the host")
    .option("--tls-insecure", "take any certificate");
}

/** @returns undefined: no TLS */
export function tlsOf(options: TlsOptions, command: Command): TlsClient | undefined {
  const { tls, tlsCa, tlsCertificate, tlsKey, tlsName, tlsInsecure } = options;
  const isWanted = [tls, tlsCa, tlsCertificate, tlsKey, tlsName, tlsInsecure].some((one) => one !== undefined);
  if (!isWanted) return undefined;
  if ((tlsCertificate === undefined) !== (tlsKey === undefined)) {
    command.error("error: expected both --tls-certificate and --tls-key");
  }
  const read = (file: string | undefined): Buffer | undefined =>
    file === undefined ? undefined : readFileOption(file, command);
  const [ca, certificate, key] = [read(tlsCa), read(tlsCertificate), read(tlsKey)];
  return {
    verify: tlsInsecure !== true,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(tlsName === undefined ? {} : { name: tlsName }),
  };
}

/** What a file has that an option names; a wrong use of the command where it can't be read. */
export function readFileOption(file: string, command: Command): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    command.error(`error: can't read ${file}: ${codeOf(error)}`);
  }
}

export function timeoutOption(byDefault: string): Option {
  return new Option("--timeout <time>", "how long the server may take to connect, to greet, and to answer")
    .argParser(readTime)
    .default(readTime(byDefault), byDefault);
}

export function readTarget(text: string): Target {
  const target = parseTarget(text);
  if (target === undefined)
    throw new InvalidArgumentError("expected HOST:PORT, or the absolute path of a Unix socket.");
  return target;
}

/** In ms. */
export function readTime(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1 || ms > 86_400_000)
    throw new InvalidArgumentError("expected a time such as 500ms or 30s.");
  return ms;
}

/** Each time, and each part between commas, one more. */
export function gather(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",")];
}
