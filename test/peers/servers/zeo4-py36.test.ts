import { peerTests } from "../peer-tests.ts";

peerTests("zeo4-py36");
