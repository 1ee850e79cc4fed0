import { createStore } from '../lib/signal.ts';
import { type Attachment, attachStream, type StreamFault } from './hls.ts';

export interface PlayerState {
  /** `blocked`: the browser wants a tap before it plays. */
  readonly phase: 'idle' | 'loading' | 'playing' | 'paused' | 'blocked' | 'failed';
  readonly fault: StreamFault | undefined;
  /** A frame of this very video has been drawn: the cover may go. */
  readonly hasPicture: boolean;
  readonly isBuffering: boolean;
  /** The viewer wants sound, and the browser refused to start with it. */
  readonly isSilenced: boolean;
}

export interface Source {
  readonly id: string;
  readonly url: string;
}

const idle: PlayerState = {
  phase: 'idle',
  fault: undefined,
  hasPicture: false,
  isBuffering: false,
  isSilenced: false,
};

/** Links are renewed at most this often; a stream refused again sooner has another fault. */
const renewEveryMs = 20_000;

/** One `<video>` element and what it is doing. Reused for one video after another. */
export class Player {
  readonly video: HTMLVideoElement;
  readonly state = createStore<PlayerState>(idle);
  readonly #renew: (id: string) => Promise<string | null>;
  #source: Source | undefined;
  #attachment: Attachment | undefined;
  #loading: AbortController | undefined;
  #isActive = false;
  #wantsSound = false;
  #renewedAtMs = Number.NEGATIVE_INFINITY;

  constructor(video: HTMLVideoElement, renew: (id: string) => Promise<string | null>) {
    this.video = video;
    this.#renew = renew;
    video.playsInline = true;
    video.loop = true;
    video.muted = true;
    const on = (name: keyof HTMLMediaElementEventMap, listener: () => void) =>
      video.addEventListener(name, listener);
    on('playing', () => this.#set({ phase: 'playing', isBuffering: false, hasPicture: true }));
    on('pause', () => {
      if (this.state.get().phase === 'playing') this.#set({ phase: 'paused' });
    });
    on('waiting', () => this.#set({ isBuffering: true }));
    on('canplay', () => this.#set({ isBuffering: false }));
    on('loadeddata', () => this.#set({ hasPicture: true }));
    on('seeked', () => this.#set({ isBuffering: false }));
  }

  #set(change: Partial<PlayerState>): void {
    this.state.set({ ...this.state.get(), ...change });
  }

  /** Shows the video, or nothing. A source that it already shows goes on undisturbed, even when its link is newer. */
  load(source: Source | undefined): void {
    if (source?.id === this.#source?.id && this.state.get().phase !== 'failed') return;
    this.unload();
    if (source === undefined) return;
    this.#source = source;
    this.#set({ phase: 'loading' });
    this.#attach(source, 0);
  }

  unload(): void {
    this.#loading?.abort();
    this.#attachment?.detach();
    this.#attachment = undefined;
    this.#source = undefined;
    this.video.pause();
    this.state.set(idle);
  }

  #attach(source: Source, startAtSeconds: number): void {
    this.#loading?.abort();
    this.#attachment?.detach();
    this.#attachment = undefined;
    const loading = new AbortController();
    this.#loading = loading;
    const events = { onFault: (fault: StreamFault) => void this.#onFault(source, fault) };
    attachStream(this.video, source.url, startAtSeconds, this.#isActive, events, loading.signal).then(
      (attachment) => {
        if (loading.signal.aborted) attachment?.detach();
        else this.#attachment = attachment;
        if (this.#isActive && !loading.signal.aborted) void this.play();
      },
      () => this.#fail('broken'),
    );
  }

  async #onFault(source: Source, fault: StreamFault): Promise<void> {
    if (this.#source !== source) return;
    const nowMs = performance.now();
    if (fault !== 'expired' || nowMs - this.#renewedAtMs < renewEveryMs) {
      this.#fail(fault === 'expired' ? 'broken' : fault);
      return;
    }
    this.#renewedAtMs = nowMs;
    const at = this.video.currentTime;
    try {
      const url = await this.#renew(source.id);
      if (this.#source !== source) return;
      if (url === null) this.#fail('gone');
      else {
        this.#source = { id: source.id, url };
        this.#attach(this.#source, at);
      }
    } catch {
      // The page offers to try again; the reason was the network's or the server's, and it may pass.
      if (this.#source === source) this.#fail('broken');
    }
  }

  #fail(fault: StreamFault): void {
    this.#attachment?.detach();
    this.#attachment = undefined;
    this.#set({ phase: 'failed', fault, isBuffering: false });
  }

  /** After a failure. Asks for a fresh link first. */
  retry(): void {
    const source = this.#source;
    if (source === undefined) return;
    this.#renewedAtMs = Number.NEGATIVE_INFINITY;
    this.#set({ phase: 'loading', fault: undefined });
    void this.#onFault(source, 'expired');
  }

  /** The one that is watched plays; the others wait at their first frame. */
  setActive(active: boolean): void {
    if (active === this.#isActive) return;
    this.#isActive = active;
    this.#attachment?.setActive(active);
    if (active) {
      void this.play();
      return;
    }
    this.video.pause();
    if (this.video.currentTime > 0) this.video.currentTime = 0;
  }

  setSound(on: boolean): void {
    this.#wantsSound = on;
    this.video.muted = !on;
    this.#set({ isSilenced: false });
  }

  async play(): Promise<void> {
    if (this.#source === undefined || this.state.get().phase === 'failed') return;
    this.video.muted = !this.#wantsSound;
    if (await this.#tryPlay()) return;
    if (this.#wantsSound) {
      this.video.muted = true;
      this.#set({ isSilenced: true });
      if (await this.#tryPlay()) return;
    }
    if (this.#isActive) this.#set({ phase: 'blocked' });
  }

  /** False when the browser refuses to play without a tap. */
  async #tryPlay(): Promise<boolean> {
    try {
      await this.video.play();
      return true;
    } catch (error) {
      // Anything but a refusal means that this play was overtaken: by a pause or by another source.
      return !(error instanceof DOMException && error.name === 'NotAllowedError');
    }
  }

  toggle(): void {
    if (this.video.paused) void this.play();
    else this.video.pause();
  }

  seek(seconds: number): void {
    const end = Number.isFinite(this.video.duration) ? this.video.duration : 0;
    this.video.currentTime = Math.min(Math.max(0, seconds), Math.max(0, end - 0.05));
  }
}
