// Audits a server against the GraphQL over HTTP specification: `node audit.js http://127.0.0.1:4000/graphql`.
// One line an audit; exits 1 when one of them is an error. Warnings are what the specification only recommends.
import { auditServer } from "graphql-http";

const url = process.argv[2];
if (!url) {
  console.error("usage: node audit.js URL");
  process.exit(2);
}

const counts = { ok: 0, notice: 0, warn: 0, error: 0 };
for (const result of await auditServer({ url })) {
  counts[result.status] += 1;
  const reason = result.status === "ok" ? "" : `: ${result.reason}`;
  console.log(`${result.status.padEnd(6)} ${result.id} ${result.name}${reason}`);
}
console.log(Object.entries(counts).map(([status, count]) => `${count} ${status}`).join(", "));
process.exit(counts.error > 0 ? 1 : 0);
