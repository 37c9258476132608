import { err } from "../../../src/shared/contracts/result.ts";

/** vLLM's body for every error, with an integer `code`. */
export interface EngineRefusal {
  readonly status: number;
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
}

/** vLLM's `BadRequestError`: the request was understood but can't be served. */
export function badRequest(message: string, param: string | null = null) {
  return err<EngineRefusal>({ status: 400, type: "BadRequestError", message, param });
}

/** A refusal by FastAPI's validation before vLLM: type `Bad Request`. */
export function invalid(message: string, param: string | null = null) {
  return err<EngineRefusal>({ status: 400, type: "Bad Request", message, param });
}

export function modelNotFound(model: string) {
  return err<EngineRefusal>({
    status: 404,
    type: "NotFoundError",
    message: `The model \`${model}\` does not exist.`,
    param: "model",
  });
}

export function refusalBody(refusal: EngineRefusal): string {
  const { message, type, param, status } = refusal;
  return JSON.stringify({ error: { message, type, param, code: status } });
}
