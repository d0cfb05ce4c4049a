import { Charts } from "./chart.js";
import { byId, setText } from "./dom.js";
import { showPlace } from "./lookups.js";
import { showOverview } from "./overview.js";
import { Rows } from "./rows.js";
import { follow } from "./stream.js";
import { Table } from "./table.js";
import { watchTheme } from "./theme.js";

const rows = new Rows();
const table = new Table(rows);
const charts = new Charts();

const STATES = {
  live: "live",
  connecting: "no connection to the proxy: trying again",
  refused: "the proxy refuses: trying again",
};

follow({
  hello({ version }) {
    setText(byId("version", HTMLElement), version);
    rows.clear();
    table.clear();
    charts.clear();
  },
  overview: showOverview,
  seconds: (seconds) => charts.add(seconds),
  rows(told) {
    rows.add(told);
    table.changed();
  },
  state(state) {
    const place = byId("connection", HTMLElement);
    setText(place, STATES[state]);
    place.dataset["state"] = state;
  },
});

watchTheme(() => charts.recolour());

byId("search", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  const query = byId("query", HTMLInputElement).value.trim();
  if (query !== "") location.hash = `#/search/${encodeURIComponent(query)}`;
});

addEventListener("hashchange", () => void showPlace());
void showPlace();
