import { peerTests } from "../peer-tests.ts";

peerTests("zeo530-py39");
