/**
 * A value that is made when it is first asked for, and kept for the isolate's life. For values that are slow to make and that most isolates
 * never need: at a module's top level every start would pay for them, before its first request (docs/cold-start.md).
 */
export function once<Made extends object>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}
