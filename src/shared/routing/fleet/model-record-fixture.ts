import { fleetSchema, type ModelRecord } from "./fleet-config.ts";

/** A model's record as the fleet of one vLLM cluster without prices has it. Throws if the fleet's schema refuses it. */
export function modelRecord(model: object): ModelRecord {
  const { clusters } = fleetSchema.parse({
    version: "1",
    clusters: [
      { id: "c", region: "r", replicas: [{ id: "a", url: "http://10.0.0.1:8000" }], models: [model] },
    ],
  });
  const record = clusters[0]?.models[0];
  if (record === undefined) throw new Error("the fleet has no model");
  return record;
}
