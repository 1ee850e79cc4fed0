import { Cursor } from './cursor.ts';
import type { Feed } from './feed.ts';

/** With so many a cursor is looked up, and not looked for. */
const manyCursors = 16;

/** The conversations in which one device is not as far as their feeds: few mostly, and thousands when it comes back after long. */
export class Cursors {
  readonly all: Cursor[] = [];
  #byConversation: Map<string, Cursor> | undefined = undefined;

  of(conversationId: string): Cursor | undefined {
    if (this.#byConversation) return this.#byConversation.get(conversationId);
    for (const cursor of this.all) if (cursor.feed.conversationId === conversationId) return cursor;
    return undefined;
  }

  add(feed: Feed, sent: number): Cursor {
    const cursor = new Cursor(feed, sent);
    this.all.push(cursor);
    if (this.#byConversation) this.#byConversation.set(feed.conversationId, cursor);
    else if (this.all.length === manyCursors)
      this.#byConversation = new Map(this.all.map((each) => [each.feed.conversationId, each]));
    return cursor;
  }

  /** The last one takes its place: whoever goes through all, and removes, goes from the end. */
  remove(cursor: Cursor): void {
    const at = this.all.indexOf(cursor);
    if (at < 0) return;
    const last = this.all.pop()!;
    if (last !== cursor) this.all[at] = last;
    this.#byConversation?.delete(cursor.feed.conversationId);
  }
}
