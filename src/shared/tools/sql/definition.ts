/** The SQL tool's definition for the model. Separate from its code, which parses SQL and is expensive to load. */
import { sqlToolName } from "../names.ts";
import type { SqlConfig } from "../tool-policy.ts";

export function sqlDefinition(config: SqlConfig) {
  return {
    name: sqlToolName,
    description:
      `Runs one read-only SQL query on the database (${config.dialect === "d1" ? "SQLite" : "PostgreSQL"}; at most ` +
      `${config.max_rows} rows). ${config.description} Tables: ${config.tables.join(", ")}.`,
    parameters: {
      type: "object",
      properties: {
        query: { type: "string", description: "One SELECT statement", minLength: 1, maxLength: 4000 },
      },
      required: ["query"],
      additionalProperties: false,
    },
  } as const;
}
