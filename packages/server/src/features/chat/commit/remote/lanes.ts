import type { Link } from './link.ts';

interface Lane {
  link: Link | undefined;
  underWay: number;
}

/**
 * Where the sends of a conversation go, as long as any is under way: whoever comes or goes meanwhile, they arrive in the order in
 * which they came.
 */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #linkFor: (conversationId: string) => Link | undefined;

  /** `linkFor`: the way to the owner of now; undefined when none is known. */
  constructor(linkFor: (conversationId: string) => Link | undefined) {
    this.#linkFor = linkFor;
  }

  /** One more is under way. */
  enter(conversationId: string): Link | undefined {
    let lane = this.#lanes.get(conversationId);
    if (!lane) {
      lane = { link: undefined, underWay: 0 };
      this.#lanes.set(conversationId, lane);
    }
    // Whoever waited for an owner has gone on when one came.
    lane.link ??= this.#linkFor(conversationId);
    lane.underWay += 1;
    return lane.link;
  }

  leave(conversationId: string): void {
    const lane = this.#of(conversationId);
    lane.underWay -= 1;
    if (lane.underWay === 0) this.#lanes.delete(conversationId);
  }

  /** Where one goes that cannot go `from` there: to the owner of now, unless others of its conversation have gone on already. */
  onFrom(conversationId: string, from: Link | undefined): Link | undefined {
    const lane = this.#of(conversationId);
    if (lane.link === from) lane.link = this.#linkFor(conversationId);
    return lane.link;
  }

  /** Nothing new goes that way. */
  turnFrom(link: Link): void {
    for (const [conversationId, lane] of this.#lanes)
      if (lane.link === link) lane.link = this.#linkFor(conversationId);
  }

  #of(conversationId: string): Lane {
    const lane = this.#lanes.get(conversationId);
    if (!lane) throw new Error('a conversation with sends under way has a lane');
    return lane;
  }
}
