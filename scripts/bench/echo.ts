// The floor of an accepted send: a bare server that parses a body and answers.
import { serve } from "./server.ts";

serve((_path, body) => JSON.stringify({ ok: true, received: JSON.parse(body) as unknown }));
