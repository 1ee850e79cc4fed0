import type Hls from 'hls.js/light';
import { savesData } from '../lib/connection.ts';

export interface Attachment {
  /** How far ahead to load: little while waiting to be watched, more while watched. */
  setActive(active: boolean): void;
  detach(): void;
}

export type StreamFault = 'expired' | 'gone' | 'broken' | 'unsupported';

interface StreamEvents {
  onFault(fault: StreamFault): void;
}

let library: Promise<typeof Hls> | undefined;

/** hls.js is a chunk of its own, fetched with the first video. A failed fetch may be tried again. */
function loadLibrary(): Promise<typeof Hls> {
  library ??= import('hls.js/light').then(
    (module) => module.default,
    (error: unknown) => {
      library = undefined;
      throw error;
    },
  );
  return library;
}

/** Bits per second that are assumed before anything was measured: preloading begins with the same rendition. */
export const startEstimate = 1_500_000;

/** Enough for the first picture and a moment; where data is to be saved, for the picture. */
const waitingBufferSeconds = () => (savesData() ? 1 : 4);
const watchedBufferSeconds = 24;

const hasMediaSource = () => 'MediaSource' in globalThis || 'ManagedMediaSource' in globalThis;

/** Connects the stream to the element: by hls.js where Media Source Extensions exist, else natively. */
export async function attachStream(
  video: HTMLVideoElement,
  url: string,
  startAtSeconds: number,
  active: boolean,
  events: StreamEvents,
  signal: AbortSignal,
): Promise<Attachment | undefined> {
  if (!hasMediaSource()) return attachNative(video, url, startAtSeconds, events);
  const Library = await loadLibrary();
  if (signal.aborted) return undefined;
  if (!Library.isSupported()) return attachNative(video, url, startAtSeconds, events);
  return attachLibrary(Library, video, url, startAtSeconds, active, events);
}

function attachNative(
  video: HTMLVideoElement,
  url: string,
  startAtSeconds: number,
  events: StreamEvents,
): Attachment | undefined {
  if (video.canPlayType('application/vnd.apple.mpegurl') === '') {
    events.onFault('unsupported');
    return undefined;
  }
  // A native player does not say why a request failed; a link that ran out is by far the likeliest.
  const onError = () => events.onFault('expired');
  video.addEventListener('error', onError);
  video.src = url;
  if (startAtSeconds > 0) video.currentTime = startAtSeconds;
  return {
    setActive: (active) => {
      video.preload = active ? 'auto' : 'metadata';
    },
    detach: () => {
      video.removeEventListener('error', onError);
      video.removeAttribute('src');
      video.load();
    },
  };
}

function attachLibrary(
  Library: typeof Hls,
  video: HTMLVideoElement,
  url: string,
  startAtSeconds: number,
  active: boolean,
  events: StreamEvents,
): Attachment {
  const hls = new Library({
    // Segments are fragmented MP4 already, so there is nothing to remux off the main thread.
    enableWorker: false,
    startPosition: startAtSeconds > 0 ? startAtSeconds : -1,
    capLevelToPlayerSize: true,
    maxBufferLength: active ? watchedBufferSeconds : waitingBufferSeconds(),
    maxMaxBufferLength: watchedBufferSeconds * 2,
    backBufferLength: 30,
    // The first frame matters more than its sharpness; the next segments are already better.
    abrEwmaDefaultEstimate: startEstimate,
  });
  let mediaRecoveries = 0;
  hls.on(Library.Events.ERROR, (_event, data) => {
    const status = data.response?.code;
    if (status === 403 || status === 401) events.onFault('expired');
    else if (data.fatal && (status === 404 || status === 410)) events.onFault('gone');
    else if (data.fatal && data.type === Library.ErrorTypes.MEDIA_ERROR && mediaRecoveries < 2) {
      mediaRecoveries += 1;
      hls.recoverMediaError();
    } else if (data.fatal) events.onFault('broken');
  });
  hls.loadSource(url);
  hls.attachMedia(video);
  return {
    setActive: (next) => {
      hls.config.maxBufferLength = next ? watchedBufferSeconds : waitingBufferSeconds();
    },
    detach: () => hls.destroy(),
  };
}
