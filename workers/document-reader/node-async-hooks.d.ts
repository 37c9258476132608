/** What is used of Node's AsyncLocalStorage, whose own types would bring all of Node's globals along. */
declare module "node:async_hooks" {
  export class AsyncLocalStorage<Store> {
    run<Value>(store: Store, callback: () => Value): Value;
    getStore(): Store | undefined;
  }
}
