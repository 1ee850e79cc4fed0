/**
 * What may be known at once. A hot path takes it as it is: a promise, its callbacks and the turn in which they run cost more
 * there than the answer itself.
 */
export type MaybePromise<T> = T | Promise<T>;

/** `next` with the value: at once when it is known, as a promise when it is not. Throws what `next` throws at once. */
export function whenKnown<T, U>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<U>,
): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
