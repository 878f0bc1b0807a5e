// What `npm run check` runs: every check in order, each with one headline and its faults in full. `--only law,types` selects.
import { join } from "node:path";
import { checkCatalog } from "./check/catalog.ts";
import { printFinding } from "./check/findings.ts";
import { checkGenerated } from "./check/generated.ts";
import { checkImportLaw } from "./check/import-law.ts";
import { checkLeaks } from "./check/leaks.ts";
import { checkNamingLaw } from "./check/naming-law.ts";
import { checkStructure } from "./check/structure.ts";
import { checkFormat, checkLint, checkTypes } from "./check/tools.ts";
import { readTree } from "./check/tree.ts";

const root = join(import.meta.dirname, "..");
const args = process.argv.slice(2);
const write = args.includes("--write");

/** Each check by its name: what it says when something is wrong is a text, or a list of findings. */
const checks = {
  format: checkFormat,
  lint: checkLint,
  types: checkTypes,
  law: checkImportLaw,
  naming: checkNamingLaw,
  structure: checkStructure,
  catalog: checkCatalog,
  generated: () => checkGenerated(root, { write }),
  leaks: (tree) => checkLeaks(tree),
};

const chosen = readChoice();
const tree = readTree(root);
const failed = chosen.filter((name) => !report(name, checks[name](tree)));
if (failed.length > 0) {
  say(`✗ ${failed.length} of ${chosen.length} checks failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

/** The names after `--only`, or all of them; an unknown one ends the run. */
function readChoice() {
  const at = args.indexOf("--only");
  const known = Object.keys(checks);
  if (at === -1) return known;
  const names = (args[at + 1] ?? "").split(",");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length === 0) return names;
  say(`✗ --only takes ${known.join(",")}; not "${unknown.join(",")}"`);
  process.exit(2);
}

/** Prints a check's headline and what it found; gives whether all is well. */
function report(name, outcome) {
  const lines =
    typeof outcome === "string" ? outcome.split("\n") : (outcome ?? []).map(printFinding);
  if (lines.length === 0) {
    say(`✓ ${name}`);
    return true;
  }
  say(`✗ ${name}`);
  for (const line of lines) say(`    ${line}`);
  return false;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
