import { createSecureContext, type SecureContext } from "node:tls";
import { ConfigError } from "../config/problem.ts";
import { isProblem, readTlsFiles, type TlsFiles, type TlsTexts } from "../config/tls-files.ts";

/** What one side's TLS is made of: its settings, and what its files hold. Both are exchanged together, by `reload`. */
export class Credentials<Settings extends TlsFiles> {
  /** Where it stands in the configuration, for messages: `upstreams[0].tls`. */
  #place: string;
  #settings: Settings;
  #texts: TlsTexts;
  #context: SecureContext;
  readonly #watchers = new Set<() => void>();

  /** @throws ConfigError where a file can't be read, or does not fit */
  constructor(settings: Settings, place: string) {
    this.#place = place;
    this.#settings = settings;
    this.#texts = read(settings, place);
    this.#context = createSecureContext(this.#texts);
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** For connections that begin now. */
  get context(): SecureContext {
    return this.#context;
  }

  get texts(): TlsTexts {
    return this.#texts;
  }

  /**
   * Reads the files again. Connections that there are keep what they began with.
   * @throws ConfigError where one can't be read, or does not fit: then all is as it was
   */
  reload(): void {
    this.prepare()();
  }

  /**
   * The first half of it, so that several can be exchanged together or not at all; with other settings, and from another place, where there are any.
   * @returns what exchanges them
   * @throws ConfigError
   */
  prepare(settings: Settings = this.#settings, place = this.#place): () => void {
    const texts = read(settings, place);
    const context = createSecureContext(texts);
    return () => {
      this.#texts = texts;
      this.#context = context;
      this.#settings = settings;
      this.#place = place;
      for (const changed of this.#watchers) changed();
    };
  }

  /** `changed` is called behind each reload. @returns what ends that */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => void this.#watchers.delete(changed);
  }
}

function read(settings: TlsFiles, place: string): TlsTexts {
  const found = readTlsFiles(settings);
  if (!isProblem(found)) return found;
  throw new ConfigError(found.map(({ option, message }) => ({ path: `${place}.${option}`, message })));
}
