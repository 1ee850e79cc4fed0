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
  reposts: { on: api.engagement.repost, off: api.engagement.unrepost },
} as const;

/** What is not seen otherwise is said, when it has happened. */
const news = { favorites: 'engagement:kept', reposts: 'engagement:reposted' } as const;

const show = (videoId: string, reaction: Reaction, isOn: boolean) =>
  queryClient.setQueriesData<unknown>(holdsCards, (data: unknown) =>
    patchReaction(data, videoId, reaction, isOn),
  );

const wishes = new Map<Reaction, Wishes<boolean>>();

function wishesOf(reaction: Reaction): Wishes<boolean> {
  const known = wishes.get(reaction);
  if (known) return known;
  const made = new Wishes<boolean>(
    async (videoId, isOn) => {
      await client.call(isOn ? calls[reaction].on : calls[reaction].off, { params: { id: videoId } });
      if (isOn && reaction !== 'likes') toast(i18n.t(news[reaction]));
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
export function react(card: VideoCard, reaction: Reaction, isOn: boolean): void {
  const held = card.viewer[stateOf[reaction]];
  // An answer under way would show the old state again.
  void queryClient.cancelQueries(holdsCards);
  show(card.id, reaction, isOn);
  wishesOf(reaction).wish(card.id, isOn, held);
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
