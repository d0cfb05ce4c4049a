import { parseArgs } from "node:util";
import { relay } from "./relay.ts";
import { run } from "./run.ts";
import { Visits } from "./visits.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    trace: { type: "boolean", default: false },
    overrides: { type: "string", default: "{}" },
  },
});
const visits = new Visits();
const start = performance.now();
let messages = 0;
let events = 0;
const names = new Map<string, number[]>();
const from = Number(values.seed ?? values.from);
const to = values.seed === undefined ? from + Number(values.seeds) : from + 1;
for (let seed = from; seed < to; seed++) {
  const r = run(seed, { visits, make: relay, overrides: JSON.parse(values.overrides), ...(values.trace && { trace: (l: string) => console.log(l) }) });
  messages += r.messages;
  events += r.events;
  if (values.seed !== undefined) console.log(r);
  if (r.violation !== undefined) {
    const key = r.violation.name;
    const list = names.get(key) ?? [];
    list.push(seed);
    if (list.length < 4) console.log(seed, r.violation.message.slice(0, 900));
    names.set(key, list);
  }
}
for (const [name, list] of names) console.log(name, list.length, list.slice(0, 10).join(" "));
const s = (performance.now() - start) / 1000;
const cpu = process.cpuUsage().user / 1e6;
console.log(visits.table());
console.log(`${events} events, ${messages} messages in ${s.toFixed(1)} s: ${Math.round(messages / s)} / s, ${Math.round(messages / cpu)} / CPU s`);
