// Settings of the command line: where the house is, and the admin token.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Problem } from "./problem.ts";

export interface CliConfig {
  /** Without a last slash. */
  readonly url: string;
  readonly adminToken: string;
  /** Where the token was found, for `doctor`. */
  readonly tokenFrom: string;
  /** Where the sandbox keeps its files. */
  readonly dataDir: string;
}

const secrets = z.object({ adminToken: z.string().min(1) });

/** Reads the settings from the environment, and the token from the data folder when the environment has none. Throws `Problem`. */
export function readCliConfig(environment: NodeJS.ProcessEnv = process.env): CliConfig {
  const url = (
    environment["THIKAA_URL"] || `http://127.0.0.1:${environment["PORT"] || "3000"}`
  ).replace(/\/+$/, "");
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Problem(
      `THIKAA_URL is not a URL: '${url}'. Write it like https://messaging.example.com.`,
    );
  const dataDir = environment["THIKAA_DATA_DIR"] || ".data";
  const given = environment["THIKAA_ADMIN_TOKEN"];
  if (given !== undefined && given !== "")
    return { url, adminToken: given, tokenFrom: "THIKAA_ADMIN_TOKEN", dataDir };
  const file = join(dataDir, "secrets.json");
  return { url, adminToken: readToken(file), tokenFrom: file, dataDir };
}

function readToken(file: string): string {
  try {
    return secrets.parse(JSON.parse(readFileSync(file, "utf8"))).adminToken;
  } catch (error) {
    const missing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const what = missing ? `there is no file ${file}` : `${file} can't be read`;
    throw new Problem(
      `No admin token: THIKAA_ADMIN_TOKEN is not set, and ${what}.\nStart the house here with 'npm start' (it makes the file), or set THIKAA_ADMIN_TOKEN and THIKAA_URL.`,
    );
  }
}
