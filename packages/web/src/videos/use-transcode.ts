import { api, type TranscodeProgress } from '@hvideo/protocol';
import { useEffect, useState } from 'react';
import { client } from '../app/client.ts';

interface Transcode {
  readonly progress: TranscodeProgress | undefined;
  readonly error: unknown;
}

const nothing: Transcode = { progress: undefined, error: undefined };

/** Follows the making of a video, event by event, until it is ready or has failed. */
export function useTranscode(id: string, isEnabled = true): Transcode {
  const [state, setState] = useState(nothing);
  useEffect(() => {
    if (!isEnabled) return;
    const controller = new AbortController();
    const follow = async () => {
      for await (const event of client.events(api.videos.progress, { params: { id } }, controller)) {
        if (event.type !== 'progress') continue;
        const progress: TranscodeProgress = JSON.parse(event.data);
        setState({ progress, error: undefined });
        if (progress.status === 'ready' || progress.status === 'failed') return;
      }
    };
    follow().catch((error: unknown) => {
      if (!controller.signal.aborted) setState((last) => ({ ...last, error }));
    });
    return () => controller.abort();
  }, [id, isEnabled]);
  return state;
}
