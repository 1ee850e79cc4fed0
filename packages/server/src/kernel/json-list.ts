/** JSON of a list in ready parts, which many answers share and nobody modifies: a comma goes between the items. */
export interface JsonList {
  readonly before: Uint8Array;
  readonly items: readonly Uint8Array[];
  readonly after: Uint8Array;
}

const comma = 0x2c;

function lengthOf({ before, items, after }: JsonList): number {
  let length = before.length + after.length + Math.max(items.length - 1, 0);
  for (let at = 0; at < items.length; at++) length += items[at]!.length;
  return length;
}

function write({ before, items, after }: JsonList, into: Uint8Array): void {
  into.set(before, 0);
  let end = before.length;
  for (let at = 0; at < items.length; at++) {
    if (at > 0) into[end++] = comma;
    const item = items[at]!;
    into.set(item, end);
    end += item.length;
  }
  into.set(after, end);
}

/** As one text. */
export function joined(list: JsonList): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(list));
  write(list, bytes);
  return bytes;
}

/** Joins lists in one place again and again, for whoever copies the result before the next one. */
export class Joiner {
  #place = new Uint8Array(64 << 10);

  join(list: JsonList): Uint8Array<ArrayBuffer> {
    const length = lengthOf(list);
    if (length > this.#place.length) return joined(list);
    write(list, this.#place);
    return this.#place.subarray(0, length);
  }
}
