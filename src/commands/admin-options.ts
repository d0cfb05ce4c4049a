import { X509Certificate } from "node:crypto";
import { InvalidArgumentError, Option, type Command } from "commander";
import { loadAdmin } from "../config/load.ts";
import { parseAdmin, placeOf, type AdminPlace } from "../tools/admin-place.ts";
import type { Admin } from "../tools/admin-request.ts";
import { readFileOption } from "./tool-options.ts";

// What the tools that ask a running proxy have in common.

export interface AdminOptions {
  readonly config?: string;
  readonly admin: AdminPlace;
  readonly tokenFile?: string;
  readonly tlsCa?: string;
  readonly timeout: number;
}

const BY_DEFAULT = "127.0.0.1:9180";

/** Adds what says where a proxy is asked, and what it is shown. */
export function addAdminOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "-c, --config <file>",
        "the proxy's own configuration, for who asks on the same machine: its admin has address, token and certificate",
      ).conflicts(["admin", "tokenFile", "tlsCa"]),
    )
    .addOption(
      new Option("--admin <address>", "its admin server: HOST:PORT, a URL, or a Unix socket's path")
        .argParser(readAdmin)
        .default(readAdmin(BY_DEFAULT), BY_DEFAULT),
    )
    .option("--token-file <file>", "a file with the token that the admin server wants")
    .option("--tls-ca <file>", "the authority of its certificate (PEM), with an https: URL");
}

/**
 * Whom to ask. A wrong use of the command where files can't be read.
 * @throws ConfigError where the configuration's `admin` is not good
 */
export function adminOf(options: AdminOptions, command: Command): Admin {
  const { config, admin: place, tokenFile, tlsCa, timeout: timeoutMs } = options;
  if (config !== undefined) return configured(config, timeoutMs, command);
  const token = tokenFile === undefined ? undefined : readToken(tokenFile, command);
  const ca = tlsCa === undefined ? undefined : readFileOption(tlsCa, command);
  return { place, token, ca, timeoutMs };
}

function configured(file: string, timeoutMs: number, command: Command): Admin {
  const admin = loadAdmin(file);
  if (admin === undefined) {
    const what = "admin: { listen: 127.0.0.1:9180 }";
    command.error(`error: ${file} has no admin: nobody can be asked (a line ${what}, and a restart of the proxy)`);
  }
  const place = placeOf(admin);
  if (place === undefined) command.error(`error: admin.listen in ${file} has port 0: say which one it is (--admin)`);
  const token = admin.tokenFile === undefined ? undefined : readToken(admin.tokenFile, command);
  const certificate = admin.tls === undefined ? undefined : readCertificate(admin.tls.certificate, command);
  return { place, token, ca: undefined, certificate, timeoutMs };
}

function readToken(file: string, command: Command): string {
  const token = readFileOption(file, command).toString("utf8").trim();
  if (!/^[\x21-\x7e]+$/.test(token)) command.error(`error: no token in ${file}`);
  return token;
}

function readCertificate(file: string, command: Command): X509Certificate {
  const text = readFileOption(file, command);
  try {
    return new X509Certificate(text);
  } catch {
    command.error(`error: no certificate (PEM) in ${file}`);
  }
}

function readAdmin(text: string): AdminPlace {
  const place = parseAdmin(text);
  if (place === undefined) {
    throw new InvalidArgumentError(
      "expected HOST:PORT such as 127.0.0.1:9180, a URL, or the absolute path of a socket.",
    );
  }
  return place;
}
