import { peerTests } from "../peer-tests.ts";

peerTests("zodb3-py27");
