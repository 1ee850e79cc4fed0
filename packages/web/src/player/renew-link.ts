import { api } from '@hvideo/protocol';
import { client } from '../app/client.ts';
import { isNotFound } from '../app/query.ts';

/** A fresh link for a video whose signed one ran out; null when the video is gone. */
export async function renewLink(id: string): Promise<string | null> {
  try {
    const detail = await client.call(api.videos.get, { params: { id } });
    return detail.video.playlistUrl;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
