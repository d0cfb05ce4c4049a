// Asks a proxy on this machine whether it lives: status 0 if it does, 1 with one line on standard error if it does not.
//
//   node healthcheck.js [http://127.0.0.1:9180/livez]
//
// /livez answers as long as the process does, whether its server is up or not: to start the proxy again helps no server.
import { get } from "node:http";

const url = process.argv[2] ?? "http://127.0.0.1:9180/livez";
const TIMEOUT_MS = 3_000;

function unhealthy(reason) {
  process.stderr.write(`${url}: ${reason}\n`);
  process.exit(1);
}

const request = get(url, { agent: false }, (response) => {
  if (response.statusCode !== 200) unhealthy(`status ${response.statusCode}`);
  process.exit(0);
});
request.on("error", (error) => unhealthy(error.message));
setTimeout(() => unhealthy(`no answer in ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS);
