/** Which models can be talked to, and which one is. */
import { useEffect, useState } from "react";
import { ApiError, listModels, type OfferedModel } from "./api.ts";
import { keepModel, keptModel } from "./keep.ts";
import { useOnline } from "./use-online.ts";

export interface Models {
  /** Empty where they are not known (yet). */
  readonly models: readonly string[];
  readonly model: string;
  /** Those of them that look at pictures; `null`: not known (yet). */
  readonly seeing: readonly string[] | null;
  readonly choose: (model: string) => void;
}

export function useModels(token: string, onEnded: () => void): Models {
  const [offered, setOffered] = useState<readonly OfferedModel[] | null>(null);
  const [chosen, setChosen] = useState(keptModel);
  const online = useOnline();

  useEffect(() => {
    if (!online) return;
    let wanted = true;
    listModels(token).then(
      (known) => {
        if (wanted) setOffered(known);
      },
      (error: unknown) => {
        // Only a refused credential ends the session; anything else shows when a message is sent.
        if (wanted && error instanceof ApiError && error.failure.status === 401) onEnded();
      },
    );
    return () => {
      wanted = false;
    };
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

/** The one that is shown as chosen is the one that is asked: where it is not (any more) offered, that is another one. */
export function modelOf(models: readonly string[], chosen: string): string {
  if (models.length === 0 || models.includes(chosen)) return chosen;
  return models.includes("auto") ? "auto" : (models[0] ?? chosen);
}
