// Reads [{ name, before, after }] (SDL) from standard input and prints what graphql-js and graphql-inspector call each change:
// { NAME: { graphqlJs: { breaking: [TYPE], dangerous: [TYPE] }, inspector: { breaking: [TYPE], dangerous: [TYPE] } } }
import { readFileSync } from "node:fs";
import { buildSchema, findBreakingChanges, findDangerousChanges } from "graphql";
import { diff } from "@graphql-inspector/core";

const kinds = (changes) => [...new Set(changes.map((change) => change.type))].sort();

const verdicts = {};
for (const { name, before, after } of JSON.parse(readFileSync(0, "utf8"))) {
  const [old, now] = [buildSchema(before), buildSchema(after)];
  const changes = await diff(old, now);
  const leveled = (level) => kinds(changes.filter((change) => change.criticality.level === level));
  verdicts[name] = {
    graphqlJs: {
      breaking: kinds(findBreakingChanges(old, now)),
      dangerous: kinds(findDangerousChanges(old, now)),
    },
    inspector: { breaking: leveled("BREAKING"), dangerous: leveled("DANGEROUS") },
  };
}
process.stdout.write(JSON.stringify(verdicts));
