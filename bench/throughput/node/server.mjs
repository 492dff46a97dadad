// PostGraphile 5 as its documentation sets it up, over node:http, on the tables of the benchmark.
// Settings come from the environment: PEER_PORT and PEER_DATABASE_URL.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { makePgService } from "postgraphile/adaptors/pg";

const preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [
    makePgService({
      connectionString: process.env.PEER_DATABASE_URL,
      schemas: ["public", "bench"],
      poolConfig: { max: 16 },
    }),
  ],
  grafserv: { graphiql: false, watch: false, graphqlPath: "/graphql" },
  grafast: { explain: false },
};

const server = createServer();
const instance = postgraphile(preset);
await instance.createServ(grafserv).addTo(server);
// Its schema is built before it says that it is ready.
await instance.getSchema();
server.listen(Number(process.env.PEER_PORT), "127.0.0.1");
