/** What stays where it is while the list changes: its end, or the first row that is seen. */
type Anchor = 'end' | { readonly key: string; readonly top: number };

const atEndPx = 40;
/** A smooth scroll is over by then, also where the browser does not say so. */
const longestGlideMs = 900;

/**
 * Keeps a list still for who reads it: rows come above and below, pictures get their height, the keyboard takes half of
 * the screen, and what is looked at stays. Browsers do parts of this by themselves, differently; here it is one rule.
 */
export class SteadyScroll {
  readonly #scroller: HTMLElement;
  readonly #rows: HTMLElement;
  #anchor: Anchor = 'end';
  #glide: ReturnType<typeof setTimeout> | undefined;

  constructor(scroller: HTMLElement, rows: HTMLElement) {
    this.#scroller = scroller;
    this.#rows = rows;
  }

  get isAtEnd(): boolean {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight <= atEndPx;
  }

  /** Call when it was scrolled. `sticks`: the end of the list is the end of the conversation, and stays in view. */
  remember(sticks: boolean): void {
    if (this.#glide !== undefined) return;
    if (sticks && this.isAtEnd) {
      this.#anchor = 'end';
      return;
    }
    const top = this.#scroller.getBoundingClientRect().top;
    const row = this.#firstWhere((bottom) => bottom > top);
    const key = row?.dataset['row'];
    if (row && key !== undefined) this.#anchor = { key, top: row.getBoundingClientRect().top - top };
  }

  /** Call when the list or the room for it has changed, before it is painted. */
  restore(): void {
    // To set a position would end the movement half-way.
    if (this.#glide !== undefined) return;
    const anchor = this.#anchor;
    if (anchor === 'end') {
      this.#scroller.scrollTop = this.#scroller.scrollHeight;
      return;
    }
    const row = this.row(anchor.key);
    if (!row) return;
    const moved = row.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top - anchor.top;
    if (Math.abs(moved) >= 1) this.#scroller.scrollTop += moved;
  }

  row(key: string): HTMLElement | null {
    return this.#rows.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`);
  }

  toEnd(isSmooth: boolean): void {
    this.#anchor = 'end';
    this.#scrollTo(this.#scroller.scrollHeight, isSmooth);
  }

  /** Brings a row to this distance from the upper edge; as near as the list allows. */
  toRow(row: HTMLElement, fromTopPx: number, isSmooth: boolean): void {
    const offset = row.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
    const top = this.#scroller.scrollTop + offset - fromTopPx;
    this.#scrollTo(top, isSmooth);
    this.#anchor = { key: row.dataset['row'] ?? '', top: fromTopPx };
    if (!isSmooth) this.remember(false);
  }

  /** The movement has ended, or somebody took it over. */
  settle(): void {
    clearTimeout(this.#glide);
    this.#glide = undefined;
  }

  #scrollTo(top: number, isSmooth: boolean): void {
    this.settle();
    const { scrollTop, clientHeight } = this.#scroller;
    // Far away nobody wants to see all that lies between.
    const isNear = Math.abs(Math.min(top, this.#scroller.scrollHeight) - scrollTop) < 3 * clientHeight;
    const behavior = isSmooth && isNear ? 'smooth' : 'instant';
    this.#scroller.scrollTo({ top, behavior });
    if (behavior === 'instant') return;
    this.#glide = setTimeout(() => {
      this.settle();
      this.restore();
    }, longestGlideMs);
  }

  /** The seq of the last message whose beginning has come into view. */
  lastSeen(): number | undefined {
    const bottom = this.#scroller.getBoundingClientRect().bottom - 12;
    const rows = this.#all();
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle];
      if (row && row.getBoundingClientRect().top < bottom) low = middle + 1;
      else high = middle;
    }
    for (let at = low - 1; at >= 0; at -= 1) {
      const seq = rows[at]?.dataset['seq'];
      if (seq) return Number(seq);
    }
    return undefined;
  }

  #firstWhere(isBelow: (bottom: number) => boolean): HTMLElement | undefined {
    const rows = this.#all();
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle];
      if (row && !isBelow(row.getBoundingClientRect().bottom)) low = middle + 1;
      else high = middle;
    }
    return rows[low];
  }

  #all(): NodeListOf<HTMLElement> {
    return this.#rows.querySelectorAll<HTMLElement>('[data-row]');
  }
}
