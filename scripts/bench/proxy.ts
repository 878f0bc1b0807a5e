// The floor of an inbound message: a bare server that hands each body on before it answers.
import { Pool } from "undici";
import { serve } from "./server.ts";

const pool = new Pool(process.argv[3] ?? "", { connections: 64 });

serve(async (_path, body) => {
  const headers = { "content-type": "application/json" };
  const answer = await pool.request({ path: "/sink", method: "POST", headers, body });
  await answer.body.dump();
  return '{"ok":true}';
});
