// Validates the SARIF logs named on the command line against the schema of version 2.1.0. Exit code 1 where one is not valid.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import Ajv from "ajv";

const require = createRequire(import.meta.url);
const folder = require.resolve("@microsoft/jest-sarif").replace(/index\.js$/, "");
const schema = JSON.parse(readFileSync(`${folder}schemas/sarif-2.1.0-rtm.5.json`, "utf8"));
const ajv = new Ajv({ allErrors: true, schemaId: "auto", meta: true, unknownFormats: ["uri-reference"] });
ajv.addMetaSchema(require("ajv/lib/refs/json-schema-draft-04.json"), undefined, true);
const validate = ajv.compile(schema);

for (const file of process.argv.slice(2)) {
  if (!validate(JSON.parse(readFileSync(file, "utf8")))) {
    console.error(`${file}: ${ajv.errorsText(validate.errors, { separator: "\n  " })}`);
    process.exitCode = 1;
  }
}
