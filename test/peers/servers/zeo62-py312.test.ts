import { peerTests } from "../peer-tests.ts";

peerTests("zeo62-py312");
