/**
 * Schemas of a body's fields, each made when it is first needed. zod takes about ten microseconds to make one, and a body uses few of
 * the fields, so an isolate makes none of them at its start (docs/cold-start.md).
 */
import * as z from "zod";
import { once } from "../isolate/once.ts";

type Makers = Readonly<Record<string, () => z.ZodType>>;

type Shape = Readonly<Record<string, z.ZodType>>;

type Joined<First, Second> = Omit<First, keyof Second> & Second;

type Made<From extends Makers> = {
  readonly [Field in keyof From]: ReturnType<From[Field]> extends z.ZodLazy<infer Inner extends z.ZodType>
    ? Inner
    : ReturnType<From[Field]>;
};

/** Reading a member makes it. A spread reads all of them; `joinShapes` does not. */
export function lazyShape<From extends Makers>(makers: From): Made<From> {
  const shape = {};
  for (const [field, make] of Object.entries(makers))
    Object.defineProperty(shape, field, { enumerable: true, get: once(() => settled(make())) });
  return shape as Made<From>;
}

/** Unwraps a lazy schema, so that parsing a body does not pay for the wrapper. */
function settled(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodLazy ? (schema._zod.innerType as z.ZodType) : schema;
}

/** The fields of all shapes, in this order, still unmade. The last shape with a field counts. */
export function joinShapes<First extends Shape, Second extends Shape>(
  first: First,
  second: Second,
): Joined<First, Second>;
export function joinShapes<First extends Shape, Second extends Shape, Third extends Shape>(
  first: First,
  second: Second,
  third: Third,
): Joined<Joined<First, Second>, Third>;
export function joinShapes(...shapes: readonly Shape[]): Shape {
  const members = shapes.map((shape) => Object.getOwnPropertyDescriptors(shape));
  return Object.defineProperties({}, Object.assign({}, ...members) as PropertyDescriptorMap);
}

/** For the reader of a body (field-reader.ts), which looks its fields up by name. */
export function makersOf(shape: Shape): ReadonlyMap<string, () => z.ZodType> {
  return new Map(
    Object.entries(Object.getOwnPropertyDescriptors(shape)).map(([field, member]) => [
      field,
      "get" in member && member.get !== undefined
        ? (member.get as () => z.ZodType)
        : () => member.value as z.ZodType,
    ]),
  );
}
