// Prints the OpenAPI document; what docs/reference/openapi.json is made by, and checked against.
import { printOpenApi } from "./openapi.ts";

process.stdout.write(printOpenApi());
