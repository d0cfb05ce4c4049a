/**
 * The real ZEO servers and clients that the proxy is tried with, pinned.
 *
 * One entry is one installed set of packages for one Python; it serves as a server and as a client.
 */

/** How a peer's server announces: which oids an unproxied observer is told of. */
export type Announces =
  /** Nothing at all for a transaction that only creates (ZODB3, ZEO 4). */
  | "modified-only"
  /** A message for every transaction, created oids missing (ZEO 5.0 - 5.2.1). */
  | "without-created"
  /** Created oids too; on ZEO 4 still no message for delete-only, restore-only and empty transactions. */
  | "patched";

export interface Peer {
  readonly name: string;
  /** Python `major.minor`. */
  readonly python: string;
  readonly packages: readonly string[];
  /** Only ZEO's own test suite needs these. */
  readonly suitePackages?: readonly string[];
  /** Source edits made after the install, by `python/patches/NAME.py`. */
  readonly patch?: string;
  /** Environment of a server process. */
  readonly serverEnv?: Readonly<Record<string, string>>;
  /** Where the packages are those of another peer (only `serverEnv` differs). */
  readonly sameAs?: string;
  /** `old`: threads and zrpc (ZODB3, ZEO 4); `new`: asyncio (ZEO 5 and later). */
  readonly family: "old" | "new";
  readonly announces: Announces;
  /** Can only a server or only a client be made of it? Default: both. */
  readonly role?: "server";
}

const SUITE = ["zope.testing", "zope.testrunner", "manuel", "random2", "mock"];

export const PEERS: readonly Peer[] = [
  {
    name: "zodb3-py27",
    python: "2.7",
    packages: ["ZODB3==3.10.7", "ZConfig<3", "transaction<2"],
    family: "old",
    announces: "modified-only",
  },
  {
    name: "zeo4-py27",
    python: "2.7",
    packages: ["ZEO==4.3.1", "ZODB<5", "transaction<2"],
    suitePackages: SUITE,
    family: "old",
    announces: "modified-only",
  },
  {
    name: "zeo4-py36",
    python: "3.6",
    packages: ["ZEO==4.3.1", "ZODB<5", "transaction<2"],
    family: "old",
    announces: "modified-only",
  },
  {
    name: "zeo4-py27-backport",
    python: "2.7",
    packages: ["ZEO==4.3.1", "ZODB<5", "transaction<2"],
    patch: "backport",
    family: "old",
    announces: "patched",
    role: "server",
  },
  {
    name: "zeo521-py27",
    python: "2.7",
    packages: ["ZEO==5.2.1", "msgpack<0.6", "ZODB==5.8.1", "futures", "trollius"],
    family: "new",
    announces: "without-created",
  },
  {
    name: "zeo521-py37",
    python: "3.7",
    packages: ["ZEO==5.2.1", "msgpack<0.6", "ZODB==5.8.1"],
    suitePackages: SUITE,
    family: "new",
    announces: "without-created",
  },
  {
    name: "zeo521-py37-mt",
    python: "3.7",
    packages: [],
    sameAs: "zeo521-py37",
    serverEnv: { ZEO_MTACCEPTOR: "1" },
    family: "new",
    announces: "without-created",
    role: "server",
  },
  {
    name: "zeo522-py38",
    python: "3.8",
    packages: ["ZEO==5.2.2", "msgpack<0.6", "ZODB==5.8.1"],
    family: "new",
    announces: "patched",
  },
  {
    name: "zeo530-py39",
    python: "3.9",
    packages: ["ZEO==5.3.0", "msgpack", "ZODB==5.8.1"],
    family: "new",
    announces: "patched",
  },
  {
    name: "zeo62-py312",
    python: "3.12",
    packages: ["ZEO==6.2", "ZODB==6.4", "msgpack"],
    suitePackages: SUITE,
    family: "new",
    announces: "patched",
  },
];

export function peerNamed(name: string): Peer {
  const peer = PEERS.find((p) => p.name === name);
  if (peer === undefined) throw new Error(`no peer is named ${name}`);
  return peer;
}
