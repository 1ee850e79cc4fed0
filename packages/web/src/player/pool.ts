/** Players in all: the one before, the one that plays, the one after. */
export const POOL_SIZE = 3;

export interface PoolSlot {
  /** Which of the players; the same number is always the same `<video>` element. */
  readonly slot: number;
  /** Which entry of the list it holds. */
  readonly index: number;
  readonly role: 'previous' | 'current' | 'next';
}

/**
 * Which player holds which entry. An entry keeps its player while it is in reach, so a step loads one video and moves
 * none. `origin`: by how many places the entries have moved since the start, which moves none either. Sorted by slot.
 */
export function assignPool(active: number, count: number, origin = 0): readonly PoolSlot[] {
  const slots: PoolSlot[] = [];
  for (let index = Math.max(0, active - 1); index <= Math.min(count - 1, active + 1); index += 1) {
    const role = index === active ? 'current' : index < active ? 'previous' : 'next';
    slots.push({ slot: slotOf(index, origin), index, role });
  }
  return slots.sort((left, right) => left.slot - right.slot);
}

export const slotOf = (index: number, origin: number): number =>
  (((index - origin) % POOL_SIZE) + POOL_SIZE) % POOL_SIZE;

/** Entries around the active one whose slides are in the document. */
export function mountedRange(active: number, count: number, reach = 2): readonly number[] {
  const first = Math.max(0, active - reach);
  const last = Math.min(count - 1, active + reach);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
}

/** Whether to fetch more: the page after the next one should be there before it is needed. */
export function wantsMore(active: number, count: number, pageSize: number): boolean {
  return count - active <= pageSize * 2;
}
