/**
 * What an isolate makes when it is first asked for, and then keeps. For what costs time and what most isolates never need: at the top level
 * of a module it would be paid by every start, before the first request (docs/cold-start.md).
 */
export function once<Made extends object>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}
