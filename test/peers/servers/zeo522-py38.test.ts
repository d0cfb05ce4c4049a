import { peerTests } from "../peer-tests.ts";

peerTests("zeo522-py38");
