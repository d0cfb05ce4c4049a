/** A mutant that no test can find, since nothing that anybody could see is different. */
export interface Equivalent {
  readonly file: string;
  /** As in `Mutant`. */
  readonly line: string;
  readonly text: string;
  readonly becomes: string;
  readonly why: string;
}

/** A line, what of it is replaced, and what it becomes: as `npm run mutate` shows those that survive. */
type Change = readonly [line: string, text: string, becomes: string];

/** They are equivalent for one reason. */
function since(why: string, file: string, ...changes: readonly Change[]): Equivalent[] {
  return changes.map(([line, text, becomes]) => ({ file, line, text, becomes, why }));
}

/** Each is looked at again when its line changes: one that doesn't occur any more, or that a test finds, is an error. */
export const EQUIVALENT: readonly Equivalent[] = [
  ...since(
    "whether a frame passes matters only while something of it is left, and is said whenever that is",
    "src/wire/frame.ts",
    ["#passing = true;", "true", "false"],
    ["this.#passing = true;", "true", "false"],
  ),
  ...since("a push of nothing finds nothing new", "src/wire/frame.ts", [
    "if (!this.#waits || this.#handler.stillWaits?.() === true) return;",
    "!this.#waits",
    "false",
  ]),
  ...since("who has bytes kept back takes them", "src/wire/frame.ts", [
    "this.#handler.ending?.(this.#held.take());",
    "this.#handler.ending?.(this.#held.take())",
    "this.#handler.ending(this.#held.take())",
  ]),
  ...since("a mode is stopped if it is none of the others", "src/wire/frame.ts", [
    'this.#mode = "stopped";',
    '"stopped"',
    '""',
  ]),
  ...since(
    "of a frame with nothing left #continue takes nothing",
    "src/wire/frame.ts",
    ["if (this.#left > 0) {", "this.#left > 0", "true"],
    ["if (this.#left > 0) {", "this.#left > 0", "this.#left >= 0"],
  ),
  ...since("nothing equals a variant that is none", "src/storage/encoder.ts", [
    "if (variants === undefined) this.#encoded.set(announcement, (variants = []));",
    "[]",
    '["Stryker was here"]',
  ]),
  ...since("nothing is told of before somebody has joined", "src/storage/storage.ts", [
    '#lastUpstream = "";',
    '""',
    '"Stryker was here!"',
  ]),
  ...since("numbers are compared with each other, and with nothing else", "src/storage/storage.ts", [
    "const number = ++this.#lastNumber;",
    "++this.#lastNumber",
    "--this.#lastNumber",
  ]),
  ...since(
    "no member has the number undefined, and none is undefined; undefined was never held",
    "src/storage/storage.ts",
    ["if (member === undefined) return;", "member === undefined", "false"],
    [
      "if (session !== undefined && this.#paused.size > 0) this.#touch(this.#members.get(session));",
      "session !== undefined",
      "true",
    ],
    [
      "if (session !== undefined && this.#paused.size > 0) this.#touch(this.#members.get(session));",
      "this.#paused.size > 0",
      "true",
    ],
    [
      "const member = session === undefined ? undefined : this.#members.get(session);",
      "session === undefined",
      "false",
    ],
    [
      'if (this.#hasToldHeld && "payload" in action) this.#tellOver(action);',
      'this.#hasToldHeld && "payload" in action',
      "true",
    ],
    ['if (this.#hasToldHeld && "payload" in action) this.#tellOver(action);', "this.#hasToldHeld", "true"],
    [
      'if (this.#hasToldHeld && "payload" in action) this.#tellOver(action);',
      'this.#hasToldHeld && "payload" in action',
      'this.#hasToldHeld || "payload" in action',
    ],
    ["if (payload === undefined || !this.#toldHeld.delete(payload)) return;", "payload === undefined", "false"],
  ),
  ...since(
    "who is read, or nobody, is noted as one who is to look, and sorted out when it comes to that",
    "src/storage/storage.ts",
    [
      "if (member !== undefined && this.#paused.has(member)) this.#touched.add(member);",
      "member !== undefined && this.#paused.has(member)",
      "true",
    ],
    [
      "if (member !== undefined && this.#paused.has(member)) this.#touched.add(member);",
      "member !== undefined && this.#paused.has(member)",
      "member !== undefined || this.#paused.has(member)",
    ],
    [
      "if (member !== undefined && this.#paused.has(member)) this.#touched.add(member);",
      "member !== undefined",
      "true",
    ],
    [
      "if (this.#waiting.size === 0 && this.#touched.size === 0) return;",
      "this.#waiting.size === 0 && this.#touched.size === 0",
      "false",
    ],
  ),
  ...since(
    "a share of nothing frees nothing",
    "src/storage/storage.ts",
    ["if (bytes === 0 && this.#share === undefined) return;", "bytes === 0 && this.#share === undefined", "false"],
    ["if (bytes > 0) return;", "bytes > 0", "true"],
    ["if (bytes > 0) return;", "bytes > 0", "bytes >= 0"],
  ),
  ...since("whose event it was has not left yet", "src/storage/storage.ts", [
    "const address = this.#members.get(session)?.server;",
    "this.#members.get(session)?.server",
    "this.#members.get(session).server",
  ]),
  ...since("behind none in a row the first is the first", "src/storage/setbacks.ts", [
    "#lastAtMs = -Infinity;",
    "-Infinity",
    "+Infinity",
  ]),
  ...since("of an error that nobody has foreseen it is not told whose bytes they were", "src/session/session.ts", [
    'this.#try("client", () => this.#lifetime.deserted()),',
    '"client"',
    '""',
  ]),
  ...since(
    "only the reply to register ends a registration so, and that comes to who is registered",
    "src/session/session.ts",
    ['if (life.is !== "registered") return;', 'life.is !== "registered"', "false"],
  ),
  ...since("what is copied of a payload is the same bytes", "src/session/to-client.ts", [
    "this.#answer(call, own, own === frame ? payload : own.subarray(LENGTH_BYTES), envelope);",
    "own === frame",
    "false",
  ]),
  ...since("what has no tid shows none", "src/session/to-client.ts", [
    'else ledger.reply(number, value.kind === "unclear" ? ANYTHING : { tid: NO_TID, exact: true }, read);',
    "{ tid: NO_TID, exact: true }",
    "{}",
  ]),
  ...since("it is only asked: for commits?", "src/session/flow.ts", [
    'if (isPaused) registration?.storage.setPaused(registration.number, waits || !isSlow ? "commits" : "its-client");',
    '"its-client"',
    '""',
  ]),
  ...since("the ledger takes a session that it doesn't know for quiet", "src/storage/storage.ts", [
    "if (settles !== this.#settles || (session !== undefined && !this.ledger.isQuiet(session))) this.#schedule();",
    "session !== undefined",
    "true",
  ]),
  ...since(
    "a list of one is sorted already",
    "src/ledger/oid-sort.ts",
    ["if (copy.length <= ID_BYTES) return copy;", "copy.length <= ID_BYTES", "false"],
    ["if (copy.length <= ID_BYTES) return copy;", "copy.length <= ID_BYTES", "copy.length < ID_BYTES"],
  ),
  ...since(
    "what is saved is work: the long way gives the same bytes",
    "src/ledger/oid-set.ts",
    ["if (oids.length === 0) return NO_OIDS;", "oids.length === 0", "false"],
    ["return end === all.length ? all : ownCopy(all.subarray(0, end));", "end === all.length", "false"],
    ["if (a.length === 0) return b;", "a.length === 0", "false"],
    ["if (b.length === 0) return a;", "b.length === 0", "false"],
    ["if (refused.length === 0) return NO_OIDS;", "refused.length === 0", "false"],
  ),
  ...since("who has left is owed nothing any more, whatever shows it", "src/ledger/leave.ts", [
    'if (item.kind !== "invalidation") continue;',
    'item.kind !== "invalidation"',
    "false",
  ]),
  ...since(
    "while a granted vote waits nothing is due but what settles just then, and `owe` does not ask; then nothing is due any more",
    "src/ledger/prove.ts",
    [
      'if (account.outbox.some((one) => one.kind === "grant") && proveAll(state, account, actions) === "ended")',
      'proveAll(state, account, actions) === "ended"',
      'proveAll(state, account, actions) !== "ended"',
    ],
    [
      'if (account.outbox.some((one) => one.kind === "grant") && proveAll(state, account, actions) === "ended")',
      '"ended"',
      '""',
    ],
    ['return "ended";', '"ended"', '""'],
  ),
  ...since("its caller asks whether it goes on, and for nothing else", "src/ledger/prove.ts", [
    'if (proveUpTo(state, account, shown, actions) === "ended") return "ended";',
    '"ended"',
    '""',
  ]),
  ...since(
    "of nothing there is nothing to be done, and nothing is proven of a session that has ended",
    "src/ledger/prove.ts",
    ['if (count === 0) return "goes-on";', "count === 0", "false"],
  ),
  ...since("what is made up is of a commit that is known until it has gone out, as it is owed", "src/ledger/hear.ts", [
    "const nothingNew = settled !== undefined ? isSubset(oids, settled.oids) : same?.own?.oids.equals(oids) === true;",
    "same?.own?.oids",
    "same?.own.oids",
  ]),
  ...since(
    "behind the last there is none, and each is there",
    "src/ledger/place.ts",
    [
      "for (let i = state.finishing.length - 1; i >= 0; i--) {",
      "state.finishing.length - 1",
      "state.finishing.length + 1",
    ],
    ["if (commit !== undefined && commit.base < tid) return commit.number;", "commit !== undefined", "true"],
  ),
  ...since(
    "what is saved is work: nothing that waits shows a tid above the top",
    "src/ledger/place.ts",
    [
      "const at = state.rules.moveAhead && item.tid <= account.top ? firstEvidence(state, account, item.tid) : -1;",
      "item.tid <= account.top",
      "true",
    ],
    ['const top = kind === "grant" ? ABOVE_ALL : tid;', 'kind === "grant"', "true"],
    ["const ABOVE_ALL = asTid(2n ** 64n - 1n);", "2n ** 64n - 1n", "2n ** 64n + 1n"],
    ["if (tid > account.top) return undefined;", "tid > account.top", "false"],
    ["if (tid > account.top) return false;", "tid > account.top", "false"],
  ),
  ...since("nothing is as high as a reach that is undefined", "src/ledger/merge.ts", [
    "const isReached = state.reach !== undefined && asked >= state.reach && !allVerify(state);",
    "state.reach !== undefined",
    "true",
  ]),
  ...since("it is never below what was shown: `resumeTid`", "src/ledger/merge.ts", [
    "if (upTo > account.shown) account.shown = upTo;",
    "upTo > account.shown",
    "true",
  ]),
  ...since(
    "it is called for what is owed, and who is owed something is there: `leave`",
    "src/ledger/trim.ts",
    ["for (const session of [...(settled.owed ?? [])]) {", "[]", '["Stryker was here"]'],
    [
      "if (account === undefined || (isPatient && waitsForReader(account, settled))) continue;",
      "account === undefined",
      "false",
    ],
  ),
  ...since("without any they count nothing", "src/ledger/trim.ts", [
    "if (oldest === undefined) break;",
    "oldest === undefined",
    "false",
  ]),
  ...since(
    "what says nothing is not held",
    "src/ledger/release.ts",
    ['case "plain":', '"plain"', '""'],
    ['case "register":', '"register"', '""'],
  ),
  ...since(
    "while a granted vote waits nothing is due: what settles is proven by it",
    "src/ledger/release.ts",
    [
      "return state.rules.waitForDue && state.rules.grantIsEvidence && account.due.length > 0;",
      "state.rules.waitForDue && state.rules.grantIsEvidence && account.due.length > 0",
      "false",
    ],
    [
      "return state.rules.waitForDue && state.rules.grantIsEvidence && account.due.length > 0;",
      "state.rules.waitForDue && state.rules.grantIsEvidence",
      "true",
    ],
    [
      "return state.rules.waitForDue && state.rules.grantIsEvidence && account.due.length > 0;",
      "state.rules.waitForDue && state.rules.grantIsEvidence",
      "state.rules.waitForDue || state.rules.grantIsEvidence",
    ],
  ),
  ...since("commits have numbers from 1 on", "src/ledger/release.ts", [
    "return item.after !== 0 && oldest !== undefined && oldest.number <= item.after;",
    "item.after !== 0",
    "true",
  ]),
  ...since("what is saved is work: no tid is found where nothing waits", "src/ledger/release.ts", [
    "if (account.outbox.length === 0) account.top = NO_TID;",
    "account.outbox.length === 0",
    "false",
  ]),
  ...since(
    "only what is made up has no payload, and it names its commit",
    "src/ledger/release.ts",
    ["if (payload !== undefined) merge(state, account, item, payload, actions);", "payload !== undefined", "true"],
    [
      'if (payload !== undefined) actions.push({ do: "forward", session: account.number, payload });',
      "payload !== undefined",
      "true",
    ],
    ["if (settled === undefined) return;", "settled === undefined", "false"],
    [
      'if (item.payload !== undefined) actions.push({ do: "forward", session: account.number, payload: item.payload });',
      "item.payload !== undefined",
      "true",
    ],
  ),
  ...since("one that grows is not asked whether it has swallowed anything: `copyFailed`", "src/ledger/copied.ts", [
    "if (!commit.grows) commit.swallowed = true;",
    "!commit.grows",
    "true",
  ]),
  ...since("it is asked only while something is copied: `endCopying`", "src/ledger/copied.ts", [
    "if (copied === undefined || verified >= copied.number) return false;",
    "copied === undefined",
    "false",
  ]),
  ...since("where both are equal nothing changes", "src/ledger/copied.ts", [
    "if (tid > state.copiedBelow) state.copiedBelow = tid;",
    "tid > state.copiedBelow",
    "tid >= state.copiedBelow",
  ]),
  ...since("what was copied has set the reach, and where both are equal nothing rises", "src/ledger/database.ts", [
    "if (tid < proven && mayBeLast(state, tid, proven)) return false;",
    "tid < proven",
    "tid <= proven",
  ]),
  ...since("of nothing nothing is added", "src/ledger/limbo.ts", [
    'if (state.limbo.length === 0 || !state.rules.addLimbo || state.sight.life !== "off") return undefined;',
    "state.limbo.length === 0",
    "false",
  ]),
  ...since("nothing is as high as a tid that is undefined", "src/ledger/limbo.ts", [
    "if (base >= to || (top !== undefined && from >= top)) continue;",
    "top !== undefined",
    "true",
  ]),
  ...since("where both are equal the same is kept", "src/ledger/history.ts", [
    "return known > proven ? known : proven;",
    "known > proven",
    "known >= proven",
  ]),
  ...since(
    "one empty list is as good as another",
    "src/ledger/ledger.ts",
    ["if (actions.length > 0) this.#actions = [];", "actions.length > 0", "true"],
    ["if (actions.length > 0) this.#actions = [];", "actions.length > 0", "actions.length >= 0"],
  ),
  ...since("only what is made up has no payload, and that is an invalidation", "src/ledger/ledger.ts", [
    'if (kind !== "invalidation" && payload !== undefined) this.#actions.push({ do: "forward", session, payload });',
    "payload !== undefined",
    "true",
  ]),
  ...since("nobody was asked who is not there", "src/ledger/ledger.ts", [
    "if (account === undefined || asked === undefined) return;",
    "account === undefined",
    "false",
  ]),
  ...since(
    "for a session that has ended nothing is due, held or late any more: `leave`",
    "src/ledger/ledger.ts",
    ['if (proof === "ended") return;', 'proof === "ended"', "false"],
    ['if (proof === "ended") return;', '"ended"', '""'],
    [
      'if (isNew && proveAnswered(this.state, account, order, false, this.#actions) === "ended") return;',
      '"ended"',
      '""',
    ],
    [
      "if (this.#live(session) !== undefined) pump(this.state, account, this.#actions);",
      "this.#live(session) !== undefined",
      "true",
    ],
  ),
  ...since(
    "undefined is not above a tid, and where both are equal the same is kept",
    "src/ledger/ledger.ts",
    ["if (tid !== undefined && tid > this.state.proven) this.state.proven = tid;", "tid !== undefined", "true"],
    [
      "if (tid !== undefined && tid > this.state.proven) this.state.proven = tid;",
      "tid > this.state.proven",
      "tid >= this.state.proven",
    ],
  ),
  ...since(
    "an orphan has left, and has nothing more to leave",
    "src/ledger/ledger.ts",
    ['if (account === undefined || account.phase === "orphaned") return;', 'account.phase === "orphaned"', "false"],
    ['if (account === undefined || account.phase === "orphaned") return;', '"orphaned"', '""'],
  ),
  ...since(
    "nothing has so low a tid, and it is only asked whether the session has ended",
    "src/ledger/ledger.ts",
    ['if (!evidence.exact || evidence.tid === NO_TID) return "goes-on";', "evidence.tid === NO_TID", "false"],
    ['if (!evidence.exact || evidence.tid === NO_TID) return "goes-on";', '"goes-on"', '""'],
    ["const after = tid === NO_TID ? 0 : waitNumber(this.state, tid);", "tid === NO_TID", "false"],
  ),
  ...since("where both are equal the same is kept", "src/ledger/database.ts", [
    "if (tid > state.proven) state.proven = tid;",
    "tid > state.proven",
    "tid >= state.proven",
  ]),
  ...since("where both are equal the same is kept", "src/ledger/hear.ts", [
    "if (tid > state.known) state.known = tid;",
    "tid > state.known",
    "tid >= state.known",
  ]),
  ...since(
    "where both are equal the same is kept",
    "src/ledger/settle.ts",
    ["if (tid > state.known) state.known = tid;", "tid > state.known", "tid >= state.known"],
    ["if (tid > state.proven) state.proven = tid;", "tid > state.proven", "tid >= state.proven"],
  ),
  ...since("where both are equal the same is kept", "src/ledger/merge.ts", [
    "if (upTo > account.shown) account.shown = upTo;",
    "upTo > account.shown",
    "upTo >= account.shown",
  ]),
  ...since("where both are equal the same is kept", "src/ledger/past.ts", [
    "].reduce((highest, tid) => (tid > highest ? tid : highest), answer?.tid ?? NO_TID);",
    "tid > highest",
    "tid >= highest",
  ]),
  ...since("where both are equal the same is kept", "src/ledger/release.ts", [
    "if (tid > account.shown) account.shown = tid;",
    "tid > account.shown",
    "tid >= account.shown",
  ]),
  ...since(
    "where both are equal the same is kept",
    "src/ledger/trim.ts",
    [
      "if (state.reach === undefined || state.reach < tid) state.reach = tid;",
      "state.reach < tid",
      "state.reach <= tid",
    ],
    ["base: other.base < one.base ? other.base : one.base,", "other.base < one.base", "other.base <= one.base"],
  ),
  ...since("where both are equal the same is kept", "src/ledger/place.ts", [
    "if (top > account.top) account.top = top;",
    "top > account.top",
    "top >= account.top",
  ]),
  ...since("where both are equal the same is kept", "src/ledger/prove.ts", [
    "const shown = account.outbox.reduce((highest, one) => (one.exact && one.tid > highest ? one.tid : highest), NO_TID);",
    "one.tid > highest",
    "one.tid >= highest",
  ]),
  ...since(
    "of nothing there is nothing to be done",
    "src/ledger/release.ts",
    ["else if (gone > 0) account.outbox.splice(0, gone);", "gone > 0", "true"],
    ["else if (gone > 0) account.outbox.splice(0, gone);", "gone > 0", "gone >= 0"],
    ["if (gone === 1 && account.outbox.length === 1) account.outbox.pop();", "gone === 1", "false"],
    [
      'if (account.outbox.length > 0 || account.phase === "closing") pump(state, account, actions);',
      'account.outbox.length > 0 || account.phase === "closing"',
      "true",
    ],
    [
      'if (account.outbox.length > 0 || account.phase === "closing") pump(state, account, actions);',
      "account.outbox.length > 0",
      "account.outbox.length >= 0",
    ],
  ),
  ...since(
    "of nothing there is nothing to be done",
    "src/ledger/trim.ts",
    ["if (drop > 0) state.history.splice(0, drop);", "drop > 0", "true"],
    ["if (drop > 0) state.history.splice(0, drop);", "drop > 0", "drop >= 0"],
    ["if (state.limbo.length > 0) trimLimbo(state, maxBytes);", "state.limbo.length > 0", "true"],
    ["if (state.limbo.length > 0) trimLimbo(state, maxBytes);", "state.limbo.length > 0", "state.limbo.length >= 0"],
  ),
  ...since(
    "of nothing there is nothing to be done",
    "src/ledger/transaction.ts",
    ["if (refused.length > 0) {", "refused.length > 0", "true"],
    ["if (refused.length > 0) {", "refused.length > 0", "refused.length >= 0"],
  ),
  ...since("a tid that was named lies above the base of its commit, always", "src/ledger/settle.ts", [
    "return !changesNothing(commit.changes) && (tid > commit.base || tid === commit.explicitTid);",
    "tid === commit.explicitTid",
    "false",
  ]),
  ...since("of any other that is due and silent it has asked already, or will when it may", "src/ledger/owe.ts", [
    "if (settled.changes.silent) askIfSilent(state, account, actions);",
    "settled.changes.silent",
    "true",
  ]),
  ...since("a string is no tid", "src/session/guard.ts", ["#own: Tid[] = [];", "[]", '["Stryker was here"]']),
  ...since(
    "a frame is handed over only behind a begin that has said so: FrameStream",
    "src/session/early.ts",
    [
      'if (envelope === undefined) throw new Error("a frame that was not begun");',
      '"a frame that was not begun"',
      '""',
    ],
    ['if (envelope === undefined) throw new Error("a frame that was not begun");', "envelope === undefined", "false"],
  ),
  ...since(
    "a frame is handed over only behind a begin that has said so: FrameStream",
    "src/session/to-server.ts",
    ['if (held === undefined) throw new Error("a frame that was not begun");', '"a frame that was not begun"', '""'],
    ['if (held === undefined) throw new Error("a frame that was not begun");', "held === undefined", "false"],
  ),
  ...since("a tail is asked for only of a store", "src/session/to-server.ts", [
    "if (store !== undefined) this.#stored(store.method, store.head, store.oid, 0, bytes);",
    "store !== undefined",
    "true",
  ]),
  ...since(
    "what is saved is a copy of the oid: the tail of a store that is whole is handed over at once",
    "src/session/to-server.ts",
    ["if (head.length === length) {", "head.length === length", "false"],
    ["if (head.length === length) {", "{", "{}"],
  ),
  ...since(
    "what is saved is work: where nothing is paused, nor is to be, the rest does nothing",
    "src/session/session.ts",
    ["if (this.#isFlowing) return;", "this.#isFlowing", "false"],
    [
      "return this.#registration === undefined || this.#registration.heldBytes <= PAUSE_ABOVE_BYTES;",
      "this.#registration.heldBytes <= PAUSE_ABOVE_BYTES",
      "false",
    ],
  ),
  ...since("what is saved is work: that nothing is owed is found one by one, too", "src/ledger/ledger.ts", [
    "if (this.#looks > state.accounts.size) this.#lookAtAll();",
    "this.#looks > state.accounts.size",
    "false",
  ]),
  ...since("of two that hold the same either may go", "src/session/memory.ts", [
    "for (const share of this.#shares) if (share.bytes > (heaviest?.bytes ?? 0)) heaviest = share;",
    "share.bytes > (heaviest?.bytes ?? 0)",
    "share.bytes >= (heaviest?.bytes ?? 0)",
  ]),
  ...since("where more is held than nothing somebody holds it", "src/session/memory.ts", [
    "if (heaviest === undefined) return;",
    "heaviest === undefined",
    "false",
  ]),
  ...since("a change by nothing changes nothing", "src/session/memory.ts", [
    "if (this.#hasLeft || (by < STEP_BYTES && by > -STEP_BYTES && (bytes > 0 || by === 0))) return;",
    "by === 0",
    "false",
  ]),
  ...since(
    "how it is ended is only asked as: at once?",
    "src/session/registration.ts",
    [
      'this.#turns.end(sessionEnd(action.code, action.tid === NO_TID ? undefined : tidHex(action.tid)), "behind");',
      '"behind"',
      '""',
    ],
    ['this.#turns.end(sessionEnd("unknown-dialect", tid && tidHex(tid)), "behind");', '"behind"', '""'],
    [
      'this.#turns.end(sessionEnd(isServers ? "invalidation-inside-finish" : code, tidHex(tid)), "behind");',
      '"behind"',
      '""',
    ],
  ),
  ...since("who is done with is only asked as: the client?", "src/session/registration.ts", [
    'this.#turns.done("server");',
    '"server"',
    '""',
  ]),
  ...since(
    "to an outlet that is shut nothing is written, and the guard behind it stands before nobody",
    "src/session/registration.ts",
    ["if (outlet.isShut) return;", "outlet.isShut", "false"],
  ),
  ...since(
    "a session that is over becomes nothing but over, and that twice does what once does",
    "src/session/lifetime.ts",
    ['if (before.is === "over") return;', 'before.is === "over"', "false"],
    ['if (before.is === "over") return;', '"over"', '""'],
    ["if (this.#life !== life) return;", "this.#life !== life", "false"],
  ),
  ...since("the ledger does nothing for a session that it keeps no more", "src/session/lifetime.ts", [
    "if (registration.isFinishing) registration.serverGone(true);",
    "registration.isFinishing",
    "true",
  ]),
  ...since(
    "of a session whose server has ended the ledger keeps nothing behind clientGone: no commit is on its way",
    "src/session/lifetime.ts",
    ['if (life.is === "registered" && life.registration.isKept) {', 'life.is === "registered"', "true"],
  ),
  ...since(
    "behind its end both connections are ended, and are not twice",
    "src/session/lifetime.ts",
    ['if (life.is !== "draining" && life.is !== "orphan" && life.is !== "over") {', 'life.is !== "over"', "true"],
    ['if (life.is !== "draining" && life.is !== "orphan" && life.is !== "over") {', '"over"', '""'],
  ),
  ...since(
    "a session drains behind its server's end, which is looked at before",
    "src/session/lifetime.ts",
    ['if (life.is === "over" || life.is === "draining") return;', 'life.is === "draining"', "false"],
    ['if (life.is === "over" || life.is === "draining") return;', '"draining"', '""'],
  ),
  ...since(
    "what is not kept was closed by the ledger's close-client; behind a part of a frame that has flowed nothing is held, and so nothing kept",
    "src/session/lifetime.ts",
    [
      "if (this.#outlet.isShut || !life.registration.isKept) this.#closeBoth();",
      "this.#outlet.isShut || !life.registration.isKept",
      "false",
    ],
    [
      "if (this.#outlet.isShut || !life.registration.isKept) this.#closeBoth();",
      "this.#outlet.isShut || !life.registration.isKept",
      "this.#outlet.isShut && !life.registration.isKept",
    ],
  ),
  ...since(
    "the ledger's close-client came before: an orphan is kept only for its commit, which has just been given up",
    "src/session/lifetime.ts",
    ['this.become({ is: "over" });', '{ is: "over" }', "{}"],
    ['this.become({ is: "over" });', '"over"', '""'],
  ),
  ...since(
    "a frame is handed over only behind a begin that has said so: FrameStream",
    "src/session/to-client.ts",
    [
      'if (envelope === undefined) throw new Error("a frame that was not begun");',
      '"a frame that was not begun"',
      '""',
    ],
    ['if (envelope === undefined) throw new Error("a frame that was not begun");', "envelope === undefined", "false"],
  ),
  ...since(
    "what has been proven is due no more: said again it proves nothing",
    "src/session/to-client.ts",
    ["if (!hasProven) {", "!hasProven", "true"],
    ["this.#large = { arrived, hasProven: true };", "true", "false"],
  ),
  ...since(
    "what is saved is a copy",
    "src/session/to-client.ts",
    ["if (isView) this.#keep();", "isView", "true"],
    ["if (handed === undefined || this.#isOwn) return;", "this.#isOwn", "false"],
    [
      "if (this.#registration.heldBytes > 0) handed.frame = Buffer.from(handed.frame);",
      "this.#registration.heldBytes > 0",
      "true",
    ],
    [
      "if (this.#registration.heldBytes > 0) handed.frame = Buffer.from(handed.frame);",
      "this.#registration.heldBytes > 0",
      "this.#registration.heldBytes >= 0",
    ],
    [
      'const own = isView && call.sort === "resume" ? Buffer.from(frame) : frame;',
      'isView && call.sort === "resume"',
      "true",
    ],
    [
      'const own = isView && call.sort === "resume" ? Buffer.from(frame) : frame;',
      'isView && call.sort === "resume"',
      'isView || call.sort === "resume"',
    ],
    ['const own = isView && call.sort === "resume" ? Buffer.from(frame) : frame;', 'call.sort === "resume"', "true"],
  ),
  ...since(
    "of nothing there is nothing to be done",
    "src/session/to-client.ts",
    ["if (oids.length > 0) ledger.storesRefused(number, oids);", "oids.length > 0", "true"],
    ["if (oids.length > 0) ledger.storesRefused(number, oids);", "oids.length > 0", "oids.length >= 0"],
  ),
  ...since("a reply that shows no tid is released as any other message is", "src/session/to-client.ts", [
    "if (shown.tid !== NO_TID) {",
    "shown.tid !== NO_TID",
    "true",
  ]),
  ...since("what shows no tid proves nothing, exact or not", "src/session/to-client.ts", [
    'else ledger.reply(number, value.kind === "unclear" ? ANYTHING : { tid: NO_TID, exact: true }, read);',
    "true",
    "false",
  ]),
  ...since("how it is ended is only asked as: at once?", "src/session/to-client.ts", [
    'else this.#turns.end(sessionEnd("question-refused", "no tid", { expected: "the last transaction\'s" }), "behind");',
    '"behind"',
    '""',
  ]),
  ...since(
    "None is written in the same way in all dialects, and has no oids",
    "src/session/to-client.ts",
    [
      'const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");',
      'dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1")',
      'dialect && (codec.encoding === "msgpack" ? "msgpack" : "pickle1")',
    ],
    [
      'const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");',
      'codec.encoding === "msgpack"',
      "true",
    ],
    [
      'const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");',
      'codec.encoding === "msgpack"',
      "false",
    ],
    [
      'const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");',
      'codec.encoding === "msgpack"',
      'codec.encoding !== "msgpack"',
    ],
    ['const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");', '"msgpack"', '""'],
    ['const none = dialect ?? (codec.encoding === "msgpack" ? "msgpack" : "pickle1");', '"pickle1"', '""'],
    ['return framed(codec.encodeInvalidationsReply(payload, envelope, none, "plain", undefined));', '"plain"', '""'],
  ),
  ...since(
    "a reply that is no tid has none",
    "src/session/to-client.ts",
    [
      'const tid = value.kind === "tid" && protocol.family === "new" ? value.tid : undefined;',
      'value.kind === "tid"',
      "true",
    ],
    ['const tid = value.kind === "tid" ? value.tid : undefined;', 'value.kind === "tid"', "true"],
  ),
  ...since("no tid is what an invalidation of it would be compared with", "src/session/to-client.ts", [
    "if (tid !== undefined) this.#talk.guard.committed(tid);",
    "tid !== undefined",
    "true",
  ]),
  ...since(
    "it is only counted how many have said something",
    "src/session/session.ts",
    ['this.#lifetime.used("client");', '"client"', '""'],
    ['this.#lifetime.used("server");', '"server"', '""'],
  ),
  ...since("frames have MACs, or register in them, only while nobody has registered", "src/session/session.ts", [
    'if (!("talk" in life)) return;',
    '!("talk" in life)',
    "false",
  ]),
  ...since("the early handlers are those of a session that is open, and stop with it", "src/session/session.ts", [
    'if (life.is !== "open" || !this.isServerOpen) return;',
    'life.is !== "open"',
    "false",
  ]),
  ...since(
    "MACs turn both streams raw when they are found first",
    "src/session/session.ts",
    ['if (this.life === "relayed" || this.#refuses(reason, sender)) return;', 'this.life === "relayed"', "false"],
    ['if (this.life === "relayed" || this.#refuses(reason, sender)) return;', '"relayed"', '""'],
  ),
  ...since(
    "no reader of bytes runs in there, so what is thrown is no ProtocolError, and the fault is the proxy's",
    "src/session/session.ts",
    ['if (party === "client") this.#try("client", () => this.#lifetime.clientEnded());', '"client"', '""'],
    ['if (party === "client") this.#try("client", () => this.look());', '"client"', '""'],
    ['if (leg === this.#client) this.#try("client", () => this.#lifetime.clientClosed());', '"client"', '""'],
    ['this.#try("server", () => this.#lifetime.bothClosed());', '"server"', '""'],
  ),
  ...since("how it is ended is only asked as: at once?", "src/session/session.ts", [
    'this.end(sessionEnd("call-before-register", "one that waits", { sender: "client", expected }), "behind");',
    '"behind"',
    '""',
  ]),
  ...since(
    "the frames of a server never wait while its client's tpc_finish is on the way: mayFlow",
    "src/session/session.ts",
    ['const isRead = life.is === "registered" || life.is === "orphan";', 'life.is === "orphan"', "false"],
    ['const isRead = life.is === "registered" || life.is === "orphan";', '"orphan"', '""'],
  ),
  ...since(
    "to an outlet that is shut nobody is slow, and a connection that closes is read already",
    "src/session/session.ts",
    ['if (life.is === "over" || life.is === "draining") return;', 'life.is === "over"', "false"],
  ),
  ...since("the commit is given up all the same, as the session that drains is over then", "src/session/session.ts", [
    'else this.#try("server", () => this.#lifetime.serverClosed());',
    '"server"',
    '""',
  ]),
  ...since(
    "a filter that keeps all changes nothing",
    "src/ledger/leave.ts",
    [
      "if (own.length > 0) state.finishing = state.finishing.filter((commit) => commit.session !== session);",
      "own.length > 0",
      "true",
    ],
    [
      "if (own.length > 0) state.finishing = state.finishing.filter((commit) => commit.session !== session);",
      "own.length > 0",
      "own.length >= 0",
    ],
  ),
  ...since(
    "in the same order either way: what is saved is work",
    "src/ledger/oid-set.ts",
    ["function isSet(oids: OidList): boolean {", "{", "{}"],
    [
      "for (let i = ID_BYTES; i < oids.length; i += ID_BYTES) if (compareAt(view, i - ID_BYTES, view, i) >= 0) return false;",
      "compareAt(view, i - ID_BYTES, view, i) >= 0",
      "true",
    ],
    ["return true;", "true", "false"],
    ["if (isSet(oids)) return ownCopy(oids);", "isSet(oids)", "false"],
  ),
  ...since(
    "two sets that have nothing in common, or bytes copied onto themselves",
    "src/ledger/oid-set.ts",
    [
      "for (; j < last && compareAt(other, j, one, i) < 0; j += ID_BYTES, end += ID_BYTES) copyAt(other, j, to, end);",
      "compareAt(other, j, one, i) < 0",
      "compareAt(other, j, one, i) <= 0",
    ],
    ["if (result !== undefined) copyAt(from, i, to, end);", "result !== undefined", "true"],
  ),
  ...since(
    "few and many are sorted alike, and a digit that all have in common changes no order: what is saved is work",
    "src/ledger/oid-sort.ts",
    [
      "return oids.length < MANY * ID_BYTES ? compared(oids) : distributed(oids);",
      "oids.length < MANY * ID_BYTES",
      "true",
    ],
    [
      "return oids.length < MANY * ID_BYTES ? compared(oids) : distributed(oids);",
      "oids.length < MANY * ID_BYTES",
      "oids.length <= MANY * ID_BYTES",
    ],
    [
      "return oids.length < MANY * ID_BYTES ? compared(oids) : distributed(oids);",
      "MANY * ID_BYTES",
      "MANY / ID_BYTES",
    ],
    ["const [high, low] = [read.getUint32(0), read.getUint32(4)];", "[read.getUint32(0), read.getUint32(4)]", "[]"],
    [
      "if (((differ[half] >>> shift) & (DIGITS - 1)) === 0) continue;",
      "((differ[half] >>> shift) & (DIGITS - 1)) === 0",
      "false",
    ],
  ),
  ...since(
    "no digit begins there, none is so high, and what is not there counts as zero",
    "src/ledger/oid-sort.ts",
    ["const differ: [number, number] = [0, 0];", "[0, 0]", "[]"],
    ["for (let shift = 0; shift < 32; shift += DIGIT_BITS) {", "shift < 32", "shift <= 32"],
    ["for (let digit = 0; digit < DIGITS; digit++) {", "digit < DIGITS", "digit <= DIGITS"],
  ),
  ...since(
    'it is only asked: "ended"?',
    "src/ledger/prove.ts",
    ['if (answered === undefined) return "goes-on";', '"goes-on"', '""'],
    ['if (count === 0) return "goes-on";', '"goes-on"', '""'],
    ['return "goes-on";', '"goes-on"', '""'],
  ),
  ...since(
    "the long way gives the same bytes",
    "src/ledger/resumed.ts",
    ["if (sets.length === 0) return NO_OIDS;", "sets.length === 0", "false"],
    ["if (ours.length === 0) return { missing: NO_OIDS, oids: answer };", "ours.length === 0", "false"],
    [
      "return { missing, oids: missing.length === 0 ? answer : Buffer.concat([answer, missing]) };",
      "missing.length === 0",
      "false",
    ],
  ),
];
