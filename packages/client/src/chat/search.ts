import { isThisMessage } from './outbox.ts';
import type { Outgoing, Receipt } from './outgoing.ts';
import type { Reads } from './reads.ts';

/** Pages of history looked through for a message of a login that has ended. */
const maxPages = 25;
const pageSize = 200;

/** Looks for messages that an earlier device of ours may have stored. All are of one conversation. */
export async function searchHistory(
  reads: Reads,
  messages: readonly Outgoing[],
  deviceId: string,
): Promise<ReadonlyMap<Outgoing, Receipt>> {
  const found = new Map<Outgoing, Receipt>();
  const id = messages[0]?.conversationId ?? '';
  let afterSeq = Math.min(...messages.map(({ baseSeq }) => baseSeq));
  for (let page = 0; page < maxPages; page += 1) {
    const { items } = await reads.messages(id, { afterSeq, limit: pageSize });
    for (const item of items) {
      const own = messages.find((message) => item.senderDevice === deviceId && isThisMessage(message, item));
      if (own !== undefined) found.set(own, item);
    }
    afterSeq = items.at(-1)?.seq ?? afterSeq;
    if (items.length < pageSize || found.size === messages.length) break;
  }
  return found;
}
