import { createClient } from '@hvideo/client';
import { api } from '@hvideo/protocol';
import { queryOptions } from '@tanstack/react-query';
import { isNotFound } from '../../app/query.ts';

/** Sends no cookies, and so sees only what everybody may: a frame must not show what belongs to one account. */
export const visitor = createClient({ baseUrl: '', session: { kind: 'token' } });

export const embeddedQuery = (id: string) =>
  queryOptions({
    queryKey: ['embedded', id],
    queryFn: async ({ signal }) => (await visitor.call(api.videos.get, { params: { id } }, { signal })).video,
  });

/** A fresh link for one that ran out while the page stood open; null when the video is gone. */
export async function renewAsVisitor(id: string): Promise<string | null> {
  try {
    return (await visitor.call(api.videos.get, { params: { id } })).video.playlistUrl;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
