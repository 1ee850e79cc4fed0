/**
 * Who has watched what: the number of views, and one's own history with the place to go on.
 *
 *     const evidence = await SegmentEvidence.open({ clock, bus, log });
 *     const history = createHistory({ db, clock, cursors, counters, evidence, videos: videos.reads });
 *     evidence.note(videoId, addressKey(address))   // a segment was sent
 *     history.views.report(videoId, { accountId, address }, report)
 *     history.entries.page(accountId, page)
 */
import type { AccountPart } from '../accounts/index.ts';
import { Entries, type EntriesDeps } from './entries.ts';
import { Views, type ViewsDeps } from './views.ts';

export { SegmentEvidence } from './evidence.ts';

export type HistoryDeps = EntriesDeps & ViewsDeps;

export type History = ReturnType<typeof createHistory>;

export function createHistory(deps: HistoryDeps) {
  const views = new Views(deps);
  const entries = new Entries(deps);
  const accountPart: AccountPart = {
    name: 'history',
    async *exportData(accountId) {
      const watched = await deps.db.sql`
        select video_id as "videoId", position_ms as "positionMs", completed, watched_at as "watchedAt"
        from watch_history where account_id = ${accountId} order by watched_at`;
      yield { path: 'history.json', body: watched };
    },
    async erase(tx, accountId) {
      await tx`delete from watch_history where account_id = ${accountId}`;
      await tx`delete from history_paused where account_id = ${accountId}`;
    },
  };
  const clean = async () => {
    await views.clean();
    await entries.clean();
  };
  return { views, entries, accountPart, clean };
}
