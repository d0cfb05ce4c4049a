import { byId, element, setText } from "./dom.js";
import { count, duration, minute } from "./format.js";

/** @typedef {import("../messages.ts").Seconds} Seconds */
/** @typedef {import("uplot")} UPlot */

const MOST_SECONDS = 600;
const HEIGHT = 170;
const WOULD_BE_COLUMN = 3;
const WOULD_BE = /** @type {const} */ (["Would be repaired", "--observed"]);

/** A script of its own leaves this one name. @type {typeof import("uplot")} */
const Plot = globalThis.uPlot;

/** What happened in each second, drawn, and for each minute in a table. */
export class Charts {
  #commitsAt = byId("chart-commits", HTMLElement);
  #heldAt = byId("chart-held", HTMLElement);
  #minutes = byId("minutes", HTMLElement);
  #wouldBeHead = byId("would-be", HTMLElement);
  /** @type {number[]} */
  #times = [];
  /** @type {number[]} */
  #commits = [];
  /** @type {number[]} */
  #repairs = [];
  /** Would be repaired. @type {number[]} */
  #observed = [];
  /** @type {number[]} */
  #held = [];
  /** Something was only observed: it has a line of its own from then on. */
  #observes = false;
  /** @type {UPlot[]} */
  #plots = [];

  constructor() {
    new ResizeObserver(() => this.#resize()).observe(this.#commitsAt);
  }

  clear() {
    for (const values of this.#all) values.length = 0;
    this.#observes = false;
    this.recolour();
  }

  /** @param {Seconds} seconds */
  add({ from, commits, repairs, observed, held }) {
    commits.forEach((_, i) => {
      this.#times.push(from + i);
      this.#commits.push(commits[i] ?? 0);
      this.#repairs.push(repairs[i] ?? 0);
      this.#observed.push(observed[i] ?? 0);
      this.#held.push(held[i] ?? 0);
    });
    for (const values of this.#all) values.splice(0, values.length - MOST_SECONDS);
    if (!this.#observes && observed.some((one) => one > 0)) {
      this.#observes = true;
      this.recolour();
    }
    this.#draw();
    this.#tell();
  }

  /** Other colours hold: drawn anew. */
  recolour() {
    for (const plot of this.#plots) plot.destroy();
    this.#plots = [];
    if (this.#times.length > 0) this.#draw();
  }

  get #all() {
    return [this.#times, this.#commits, this.#repairs, this.#observed, this.#held];
  }

  /** @returns {[[number[], ...number[][]], [number[], number[]]]} */
  get #data() {
    return [
      [this.#times, this.#commits, this.#repairs, ...(this.#observes ? [this.#observed] : [])],
      [this.#times, this.#held],
    ];
  }

  #draw() {
    if (this.#plots.length === 0) {
      const [commits, held] = this.#data;
      this.#plots = [
        new Plot(
          this.#options([["Commits", "--commits"], ["Repaired", "--repairs"], ...(this.#observes ? [WOULD_BE] : [])]),
          commits,
          this.#commitsAt,
        ),
        new Plot(this.#options([["Longest hold", "--held"]]), held, this.#heldAt),
      ];
      return;
    }
    this.#plots.forEach((plot, i) => plot.setData(this.#data[i] ?? []));
  }

  /**
   * @param {readonly (readonly [label: string, colour: string])[]} lines
   * @returns {import("uplot").Options}
   */
  #options(lines) {
    const style = getComputedStyle(document.documentElement);
    /** @param {string} name */
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
    return {
      width: this.#width,
      height: HEIGHT,
      cursor: { drag: { x: false, y: false } },
      legend: { live: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.1)] } },
      axes: [
        { ...axis, space: 80, values: (_, times) => times.map((second) => minute(second * 1000)) },
        { ...axis, size: 48, values: (_, values) => values.map((v) => (Number.isInteger(v) ? count(v) : "")) },
      ],
      series: [
        {},
        ...lines.map(([label, name], i) => ({
          label,
          stroke: colour(name),
          width: 2,
          // Told apart without colours, too.
          ...(i === 0 ? { fill: `${colour(name)}22` } : { dash: i === 1 ? [6, 3] : [2, 3] }),
          points: { show: false },
        })),
      ],
    };
  }

  get #width() {
    return Math.max(200, this.#commitsAt.clientWidth);
  }

  #resize() {
    for (const plot of this.#plots) plot.setSize({ width: this.#width, height: HEIGHT });
  }

  /** The minutes, newest first. */
  #tell() {
    /** @type {Map<number, { commits: number, repairs: number, observed: number, held: number }>} */
    const minutes = new Map();
    this.#times.forEach((second, i) => {
      const start = second - (second % 60);
      const sum = minutes.get(start) ?? { commits: 0, repairs: 0, observed: 0, held: 0 };
      minutes.set(start, sum);
      sum.commits += this.#commits[i] ?? 0;
      sum.repairs += this.#repairs[i] ?? 0;
      sum.observed += this.#observed[i] ?? 0;
      sum.held = Math.max(sum.held, this.#held[i] ?? 0);
    });
    this.#wouldBeHead.hidden = !this.#observes;
    const lines = [...minutes].reverse();
    while (this.#minutes.children.length > lines.length) this.#minutes.lastElementChild?.remove();
    lines.forEach(([start, { commits, repairs, observed, held }], i) => {
      const line = this.#minutes.children[i] ?? this.#minutes.appendChild(emptyLine());
      const texts = [minute(start * 1000), count(commits), count(repairs), count(observed), duration(held)];
      texts.forEach((text, column) => setText(/** @type {Node} */ (line.children[column]), text));
      /** @type {HTMLElement} */ (line.children[WOULD_BE_COLUMN]).hidden = !this.#observes;
    });
  }
}

function emptyLine() {
  const number = () => element("td", { class: "number" });
  return element("tr", {}, [element("th", { scope: "row" }), number(), number(), number(), number()]);
}
