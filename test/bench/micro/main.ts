import { run } from "mitata";
import { announcementBenches } from "./announcements.ts";
import { frameBenches } from "./frames.ts";
import { headBenches } from "./heads.ts";
import { ledgerBenches } from "./ledger.ts";
import { oidBenches } from "./oids.ts";

/** What single steps of the wire and the ledger take. `npm run bench:micro -- PATTERN`: only those whose name matches. */
frameBenches();
headBenches();
oidBenches();
announcementBenches();
ledgerBenches();

const [only] = process.argv.slice(2);
await run(only === undefined ? {} : { filter: new RegExp(only) });
