// Answers one simulation per line of standard input with one line of JSON, in order.
import { createInterface } from "node:readline";
import { runSimulation } from "@cloud-copilot/iam-simulate";

for await (const line of createInterface({ input: process.stdin })) {
  const result = await runSimulation(JSON.parse(line), { simulationMode: "Strict" });
  const parts = result.results ?? (result.result ? [result.result] : []);
  const answer = {
    errors: result.resultType === "error" ? result.errors : null,
    decision: result.overallResult,
    ignored: [...new Set(parts.flatMap((part) => part.ignoredContextKeys ?? []))],
  };
  process.stdout.write(JSON.stringify(answer) + "\n");
}
