/**
 * What others did that concerns somebody, gathered ("Lin and 12 others"). The features that write know nothing of it: it
 * follows the changes of their rows.
 *
 *     const notifications = createNotifications({ db, clock, cursors, people, presenter: videos.presenter });
 *     changes.follow(notifications.consumer)     // before the feed starts
 *     notifications.inbox.page(accountId, page) / .unread(accountId) / .read(accountId, { upTo })
 */
import type { ChangeConsumer } from '../../ports/change-feed/port.ts';
import type { AccountPart } from '../accounts/index.ts';
import { cleanNotifications } from './clean.ts';
import { Follower } from './follower.ts';
import { Inbox, type InboxDeps } from './inbox.ts';

export { MAX_NOTIFICATIONS } from './clean.ts';

export type Notifications = ReturnType<typeof createNotifications>;

export function createNotifications(deps: InboxDeps) {
  const { clock, db } = deps;
  const accountPart: AccountPart = {
    name: 'notifications',
    async *exportData(accountId) {
      const told = await db.sql`
        select kind, video_id as "videoId", updated_at as "updatedAt", read_at as "readAt",
          array(select distinct a.actor_id::text from notification_act a
            where a.notification_id = n.id and not a.withdrawn) as actors
        from notification n where recipient_id = ${accountId} order by position, id`;
      yield { path: 'notifications.json', body: told };
    },
    async erase(tx, accountId) {
      await tx`delete from notification where recipient_id = ${accountId}`;
      await tx`delete from notification_act where actor_id = ${accountId}`;
    },
  };
  const consumer: ChangeConsumer = new Follower(db, clock);
  return {
    ...{ consumer, accountPart },
    inbox: new Inbox(deps),
    clean: (signal?: AbortSignal) => cleanNotifications(db, clock, signal),
  };
}
