// Validates each of a list of definitions, read from standard input, with asl-validator; writes each one's errors.
// Usage: node validate.mjs <folder with node_modules>
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const validate = createRequire(`${process.argv[2]}/package.json`)("asl-validator");
const definitions = JSON.parse(readFileSync(0, "utf8"));
const found = definitions.map((definition) => (validate.default ?? validate)(definition).errors);
process.stdout.write(JSON.stringify(found.map((errors) => errors.map((error) => error.Message ?? error.message))));
