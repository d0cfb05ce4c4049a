import { parseArgs } from "node:util";
import { declare, REPAIRS } from "./declared.ts";
import { declareProxy } from "./instruments.ts";
import type { Overrides } from "./mix.ts";
import { run, type Run } from "./run.ts";
import { shrink } from "./shrink.ts";
import { SUBJECTS, subjectNamed } from "./subjects.ts";
import { Visits } from "./visits.ts";

const USAGE = `npm run simulate -- [OPTIONS]
  --seeds N         so many runs (1000)
  --from K          ... from this seed on (1)
  --seed S          this one alone; its mix is printed
  --trace           with --seed: all that happens
  --messages M      goes on until so many messages have reached the other side
  --minutes T       goes on for so long
  --overrides JSON  what is to be otherwise than the seed has it
  --witness W       on, off: the subject has a client of its own that reads the servers; else as the seed has it
  --proxies N       1, 2: so many subjects before the servers; else as the seed has it. With 2, a witness in all
  --subject NAME    ${Object.keys(SUBJECTS).join(", ")}
  --first           ends with the first run that fails
  --keep-large      does not make the runs that fail smaller`;

/** So many of each kind of failure are printed. */
const SHOWN = 3;
/** Runs that may be tried to make one smaller. */
const SHRINK_RUNS = 3000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    messages: { type: "string" },
    minutes: { type: "string" },
    overrides: { type: "string", default: "{}" },
    witness: { type: "string" },
    proxies: { type: "string" },
    subject: { type: "string", default: Object.keys(SUBJECTS).at(-1) ?? "" },
    first: { type: "boolean", default: false },
    "keep-large": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const overrides: Overrides = {
  ...(JSON.parse(values.overrides) as Overrides),
  ...witnessed(values.witness),
  ...served(values.proxies),
};
const make = subjectNamed(values.subject);
const visits = new Visits();

function witnessed(text: string | undefined): Overrides {
  if (text === undefined) return {};
  if (text !== "on" && text !== "off") throw new Error(USAGE);
  return { witness: text === "on" };
}

function served(text: string | undefined): Overrides {
  if (text === undefined) return {};
  if (text !== "1" && text !== "2") throw new Error(USAGE);
  return { proxies: Number(text) };
}

function number(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0)) throw new Error(USAGE);
  return value;
}

function command(seed: number, more: Overrides): string {
  const json = Object.keys(more).length === 0 ? "" : ` --overrides '${JSON.stringify(more)}'`;
  return `npm run simulate -- --subject ${values.subject} --seed ${seed}${json} --trace`;
}

function showFailure({ seed, violation }: Run): void {
  if (violation === undefined) return;
  console.log(`seed ${seed}: ${violation.message}`);
  console.log(`  ${command(seed, overrides)}`);
  if (values["keep-large"]) return;
  const quiet = new Visits();
  const { name } = violation;
  const small = shrink(
    { seed, overrides },
    name,
    (other, less) => run(other, { visits: quiet, make, overrides: less }).violation?.name,
    SHRINK_RUNS,
  );
  const smallest = run(small.seed, { visits: quiet, make, overrides: small.overrides });
  console.log(`  made smaller: ${smallest.violation?.message ?? "?"}`);
  console.log(`  ${command(small.seed, small.overrides)}`);
  console.log(`  { name: "", seed: ${small.seed}, overrides: ${JSON.stringify(small.overrides)} },`);
}

function one(seed: number): boolean {
  const result = run(seed, { visits, make, overrides, ...(values.trace && { trace: (line) => console.log(line) }) });
  const { mix, violation, hash, messages, events, seconds } = result;
  console.log(JSON.stringify(mix));
  console.log(`seed ${seed}: ${messages} messages, ${events} events, ${seconds.toFixed(3)} s, hash ${hash}`);
  if (violation !== undefined) console.log(violation.stack ?? violation.message);
  return violation === undefined;
}

function many(): boolean {
  const messagesWanted = number(values.messages);
  const minutes = number(values.minutes);
  const isOpen = messagesWanted !== undefined || minutes !== undefined;
  const seeds = number(values.seeds) ?? (isOpen ? Infinity : 1000);
  const from = number(values.from) ?? 1;
  declare(visits);
  if (make === SUBJECTS["proxy"]) {
    visits.declare(REPAIRS);
    declareProxy(visits);
  }
  const start = performance.now();
  const until = minutes === undefined ? Infinity : start + minutes * 60_000;
  const failures = new Map<string, number[]>();
  let messages = 0;
  let events = 0;
  let runs = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    if (messages >= (messagesWanted ?? Infinity) || performance.now() > until) break;
    const result = run(seed, { visits, make, overrides });
    runs++;
    messages += result.messages;
    events += result.events;
    if (result.violation === undefined) continue;
    const of = failures.get(result.violation.name) ?? [];
    of.push(seed);
    failures.set(result.violation.name, of);
    if (of.length <= SHOWN) showFailure(result);
    if (values.first) break;
  }
  const s = (performance.now() - start) / 1000;
  const cpu = process.cpuUsage().user / 1e6;
  console.log(visits.table());
  for (const [name, of] of failures) console.log(`${of.length} × ${name}: seeds ${of.slice(0, 12).join(" ")}`);
  console.log(
    `${runs} runs, ${messages} messages, ${events} events in ${s.toFixed(1)} s: ` +
      `${Math.round(messages / s)} messages/s, ${Math.round(messages / cpu)} for each second of CPU`,
  );
  return failures.size === 0;
}

const isGood = values.help ? (console.log(USAGE), true) : values.seed === undefined ? many() : one(Number(values.seed));
process.exitCode = isGood ? 0 : 1;
