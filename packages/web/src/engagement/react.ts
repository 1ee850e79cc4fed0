import { type Account, api, type VideoCard } from '@hvideo/protocol';
import { useNavigate } from '@tanstack/react-router';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { useViewer, viewerQuery } from '../app/session.ts';
import { i18n } from '../i18n/index.ts';
import { toast } from '../ui/toast.tsx';
import { patchCount, patchReaction, type Reaction, stateOf } from './patch-card.ts';
import { Wishes } from './wishes.ts';

/** The queries that hold cards. */
const cardKeys = new Set(['feed', 'video', 'videos', 'list', 'history']);
const holdsCards = {
  predicate: ({ queryKey }: { queryKey: readonly unknown[] }) => cardKeys.has(String(queryKey[0])),
};

const calls = {
  likes: { on: api.engagement.like, off: api.engagement.unlike },
  favorites: { on: api.engagement.favorite, off: api.engagement.unfavorite },
} as const;

const show = (videoId: string, reaction: Reaction, isOn: boolean) =>
  queryClient.setQueriesData<unknown>(holdsCards, (data: unknown) =>
    patchReaction(data, videoId, reaction, isOn),
  );

type Simple = keyof typeof calls;

const wishes = new Map<Simple, Wishes<boolean>>();

function wishesOf(reaction: Simple): Wishes<boolean> {
  const known = wishes.get(reaction);
  if (known) return known;
  const made = new Wishes<boolean>(
    async (videoId, isOn) => {
      await client.call(isOn ? calls[reaction].on : calls[reaction].off, { params: { id: videoId } });
      // What is not seen otherwise is said, when it has happened.
      if (isOn && reaction === 'favorites') toast(i18n.t('engagement:kept'));
      // One's own lists are read again when they are opened.
      void queryClient.invalidateQueries({ queryKey: ['list'], refetchType: 'none' });
    },
    (videoId, held, error) => {
      show(videoId, reaction, held);
      toast(errorText(error), 'error');
    },
  );
  wishes.set(reaction, made);
  return made;
}

/** Shows it at once, tells the server, and takes it back if the server refuses. */
export function react(card: VideoCard, reaction: Simple, isOn: boolean): void {
  const held = card.viewer[stateOf[reaction]];
  // An answer under way would show the old state again.
  void queryClient.cancelQueries(holdsCards);
  show(card.id, reaction, isOn);
  wishesOf(reaction).wish(card.id, isOn, held);
}

/** True: with the words that are there already, if any. */
const repostWishes = new Wishes<boolean | string>(
  async (videoId, wanted) => {
    const params = { id: videoId };
    if (wanted === false) await client.call(api.engagement.unrepost, { params });
    else {
      const body = typeof wanted === 'string' ? { comment: wanted } : {};
      await client.call(api.engagement.repost, { params, body });
    }
    toast(i18n.t(wanted === false ? 'feed:repost.undone' : 'engagement:reposted'));
  },
  (videoId, held, error) => {
    show(videoId, 'reposts', held !== false);
    toast(errorText(error), 'error');
  },
);

/** Recommends the video, with words or without; false takes it back. */
export function repost(card: VideoCard, wanted: boolean | string): void {
  void queryClient.cancelQueries(holdsCards);
  show(card.id, 'reposts', wanted !== false);
  repostWishes.wish(card.id, wanted, card.viewer.reposted);
}

export const countComments = (videoId: string, by: number) =>
  queryClient.setQueriesData<unknown>(holdsCards, (data: unknown) =>
    patchCount(data, videoId, 'comments', by),
  );

/** Runs what only people with an account may do; others are asked to log in first. */
export function useSignedIn(): (act: () => void) => void {
  const viewer = useViewer();
  const navigate = useNavigate();
  const decide = (who: Account | null, act: () => void) => {
    if (who) act();
    else void navigate({ to: '/login', search: { next: location.pathname + location.search } });
  };
  return (act) => {
    if (viewer !== undefined) return decide(viewer, act);
    // Who taps at once is not known yet, and is not to be taken for a visitor.
    queryClient.ensureQueryData(viewerQuery).then(
      (who) => decide(who, act),
      (error) => toast(errorText(error), 'error'),
    );
  };
}
