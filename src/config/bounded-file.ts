import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";

/** More than any configuration, certificate or key needs; a file that is something else is not read into memory. */
export const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads to the end or just past the limit; a device or a pipe has no size to ask for.
 * @throws the system's error
 */
export function readBounded(file: string): { readonly bytes: Buffer; readonly stats: Stats } {
  const descriptor = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (read === 0) break;
      length += read;
    }
    return { bytes: buffer.subarray(0, length), stats: fstatSync(descriptor) };
  } finally {
    closeSync(descriptor);
  }
}

/** In words. */
export function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT") return "no such file";
  if (code === "EISDIR") return "a directory";
  if (code === "EACCES") return "no permission";
  return code ?? String(error);
}
