/** Which models can chat, and which one is chosen? */
import { useEffect, useState } from "react";
import { listModels, type OfferedModel } from "./api.ts";
import { failureOf, isForGood } from "./failure-notice.ts";
import { keepModel, keptModel } from "./keep.ts";
import { pause, retryPauseMs } from "./retry-pause.ts";
import { useOnline } from "./use-online.ts";

export interface Models {
  /** Empty if they are not known (yet). */
  readonly models: readonly string[];
  readonly model: string;
  /** Those that accept pictures; `null`: not known (yet). */
  readonly seeing: readonly string[] | null;
  readonly choose: (model: string) => void;
}

export function useModels(token: string, onEnded: () => void): Models {
  const [offered, setOffered] = useState<readonly OfferedModel[] | null>(null);
  const [chosen, setChosen] = useState(keptModel);
  const online = useOnline();

  useEffect(() => {
    if (!online) return;
    const leaving = new AbortController();
    void knownModels(token, leaving.signal).then((known) => {
      if (leaving.signal.aborted) return;
      if (known === "ended") onEnded();
      else if (known !== "refused") setOffered(known);
    });
    return () => leaving.abort();
  }, [token, onEnded, online]);

  const models = offered?.map(({ id }) => id) ?? [];
  return {
    models,
    seeing: offered?.filter(({ sees }) => sees).map(({ id }) => id) ?? null,
    model: modelOf(models, chosen),
    choose: (model) => {
      keepModel(model);
      setChosen(model);
    },
  };
}

/**
 * Repeated until there is an answer, since without it no model can be chosen. A final refusal shows when a message is sent; only an ended
 * credential ends the session.
 */
async function knownModels(
  token: string,
  leaving: AbortSignal,
): Promise<readonly OfferedModel[] | "ended" | "refused"> {
  for (let failures = 1; !leaving.aborted; failures += 1) {
    try {
      return await listModels(token);
    } catch (error) {
      const { status } = failureOf(error);
      if (status === 401) return "ended";
      if (isForGood(status)) return "refused";
    }
    await pause(retryPauseMs(failures, Math.random()), leaving);
  }
  return "refused";
}

/** The model that is asked, and shown as chosen. If the chosen one is not (any more) offered, another one. */
export function modelOf(models: readonly string[], chosen: string): string {
  if (models.length === 0 || models.includes(chosen)) return chosen;
  return models.includes("auto") ? "auto" : (models[0] ?? chosen);
}
