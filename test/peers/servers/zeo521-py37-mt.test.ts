import { peerTests } from "../peer-tests.ts";

peerTests("zeo521-py37-mt");
