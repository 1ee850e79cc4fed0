/** Orders entries of the following feed by age: negative when `left` is the older one. */
export function compareEntries(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
