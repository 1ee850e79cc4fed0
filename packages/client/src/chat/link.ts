import { backoffMs } from '../wait.ts';
import { Addresses } from './addresses.ts';
import { failureOf, isFinalRefusal } from './failures.ts';
import type { ChatLimits, ChatOptions } from './options.ts';
import { PollingTransport } from './polling-transport.ts';
import { StompTransport } from './stomp-transport.ts';
import type { ChatSurroundings } from './surroundings.ts';
import type { Transport, TransportEnd, TransportEvents } from './transport.ts';
import type { ChatFailure, ChatPhase } from './types.ts';

export interface LinkOptions {
  readonly client: ChatOptions['client'];
  readonly url: string;
  readonly instance: string;
  readonly mode: 'auto' | 'socket' | 'polling';
  readonly limits: ChatLimits;
  readonly around: ChatSurroundings;
  readonly events: Pick<TransportEvents, 'onDelivery' | 'onEvent' | 'onSynced'>;
  readonly pts: () => number | undefined;
  readonly onUp: (transport: Transport, kind: Kind) => void;
  readonly onDown: () => void;
  readonly onStatus: () => void;
}

type Kind = 'socket' | 'polling';

/** One try to connect, and what became of it. */
interface Try {
  readonly kind: Kind;
  /** Not at the address that was given. */
  isElsewhere: boolean;
  transport: Transport | undefined;
  isReady: boolean;
  hasEnded: boolean;
}

/** This long without a fault, and a connection counts as good: the next one is tried at once. */
const provenMs = 10_000;
const minuteMs = 60_000;

/**
 * Keeps the way to the server open: one transport at a time that carries, a socket if sockets get through. Waits between
 * tries grow, are random up to their bound, and tries are counted, so that no server and no fault makes a client hammer.
 */
export class Link {
  phase: ChatPhase = 'connecting';
  failure: ChatFailure | null = null;
  retryAtMs: number | null = null;

  readonly #options: LinkOptions;
  readonly #ending = new AbortController();
  readonly #addresses: Addresses;
  /** The transport that carries. */
  #current: Try | undefined;
  /** The next one, while it connects. */
  #next: Try | undefined;
  #failures = 0;
  #socketFailures = 0;
  #recentTries = 0;
  #wasOffline = false;
  #cancelWait: (() => void) | undefined;
  #cancelSocketRetry: (() => void) | undefined;
  #cancelProof: (() => void) | undefined;
  #stopHints: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#addresses = new Addresses(options.url, this.#random);
  }

  start(): void {
    this.#stopHints = this.#options.around.network?.onChange(() => this.#onHint());
    this.#connect(this.#options.mode === 'polling' ? 'polling' : 'socket');
  }

  /** Tries now. */
  hurry(): void {
    if (this.#ending.signal.aborted || this.phase === 'stopped' || this.#next !== undefined) return;
    if (this.phase === 'online') return;
    this.#failures = 0;
    if (this.#current === undefined) this.#wait(0);
    else this.#connect('socket');
  }

  /** The node asks its clients to leave, and not all at once. */
  move(withinMs: number, alternatives: readonly string[]): void {
    this.#cancelWait?.();
    this.#cancelWait = this.#timer(this.#random() * withinMs * 0.8, () => {
      this.#addresses.leave(alternatives);
      this.#current?.transport?.close();
    });
  }

  close(): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort(new Error('The chat is closed'));
    this.#quiet();
    this.#next?.transport?.close();
    this.#current?.transport?.close();
    this.#tell('closed', { code: 'closed', detail: null });
  }

  #connect(kind: Kind): void {
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    const next: Try = { kind, isElsewhere: false, transport: undefined, isReady: false, hasEnded: false };
    this.#next = next;
    this.#recentTries += 1;
    this.#timer(minuteMs, () => {
      this.#recentTries -= 1;
    });
    if (this.#current === undefined) this.#tell('connecting', this.failure);
    this.#open(next).catch((error: unknown) => {
      this.#onEnd(next, { failure: failureOf(error), isFinal: isFinalRefusal(error) });
    });
  }

  async #open(next: Try): Promise<void> {
    const { client, instance, limits, around, pts, events: sink } = this.#options;
    const events: TransportEvents = {
      onReady: (transport) => this.#onReady(next, transport),
      onDelivery: (delivery) => sink.onDelivery(delivery),
      onEvent: (event) => sink.onEvent(event),
      onSynced: (known, tooLong) => sink.onSynced(known, tooLong),
      onEnd: (end) => this.#onEnd(next, end),
    };
    if (next.kind === 'polling') {
      next.transport = new PollingTransport({ client, instance, limits, around, events, pts });
      return;
    }
    const timeout = new AbortController();
    const cancel = around.setTimer(limits.requestMs, () => timeout.abort(new Error('No login in time')));
    try {
      const headers = await client.authHeaders(AbortSignal.any([timeout.signal, this.#ending.signal]));
      if (next.hasEnded || this.#ending.signal.aborted) return;
      const token = headers['Authorization']?.replace(/^Bearer /, '');
      const { current: url, isElsewhere } = this.#addresses;
      next.isElsewhere = isElsewhere;
      this.#addresses.isByCookie = token === undefined;
      const onAlternatives = (urls: readonly string[]) => this.#addresses.learn(urls);
      next.transport = new StompTransport({ url, instance, token, limits, around, events, onAlternatives });
    } finally {
      cancel();
    }
  }

  #onReady(next: Try, transport: Transport): void {
    if (next !== this.#next) {
      transport.close();
      return;
    }
    next.transport = transport;
    next.isReady = true;
    const previous = this.#current;
    this.#current = next;
    this.#next = undefined;
    if (previous !== undefined) {
      previous.transport?.close();
      this.#options.onDown();
    }
    if (next.kind === 'socket') this.#socketFailures = 0;
    this.#cancelProof?.();
    this.#cancelProof = this.#timer(provenMs, () => {
      this.#failures = 0;
    });
    this.#planSocket();
    this.#tell(next.kind === 'socket' ? 'online' : 'polling', null);
    this.#options.onUp(transport, next.kind);
  }

  #onEnd(ended: Try, end: TransportEnd): void {
    if (ended.hasEnded) return;
    ended.hasEnded = true;
    const wasCurrent = ended === this.#current;
    if (wasCurrent) {
      this.#current = undefined;
      this.#cancelProof?.();
      this.#options.onDown();
    } else if (ended === this.#next) this.#next = undefined;
    else return;
    if (this.#ending.signal.aborted) return;
    // Another node that lets nobody in says nothing about the login.
    if (end.isFinal && (ended.isReady || !ended.isElsewhere)) {
      this.#stop(end.failure);
      return;
    }
    if (ended.kind === 'socket' && !ended.isReady) {
      this.#socketFailures += 1;
      this.#addresses.next();
    }
    // A socket was tried while requests carry: they go on.
    if (this.#current !== undefined) {
      this.#planSocket();
      return;
    }
    this.failure = end.failure;
    if (this.#next !== undefined) {
      this.#tell('connecting', end.failure);
      return;
    }
    // The first try after a good connection is early: the same node, which may have restarted only.
    this.#wait(
      backoffMs(this.#failures, this.#base(), this.#options.limits.backoffMaxMs, this.#random) +
        (end.retryAfterMs ?? 0),
    );
    this.#failures += 1;
  }

  #stop(failure: ChatFailure): void {
    this.#quiet();
    this.#next?.transport?.close();
    this.#current?.transport?.close();
    this.#tell('stopped', failure);
  }

  #quiet(): void {
    this.#stopHints?.();
    this.#cancelWait?.();
    this.#cancelProof?.();
    this.#cancelSocketRetry?.();
  }

  #wait(ms: number): void {
    const { around, limits, mode } = this.#options;
    const isCrowded = this.#recentTries >= limits.maxConnectsPerMinute;
    const isOffline = around.network?.isOnline() === false;
    // Hints of being offline are wrong at times: so it is tried all the same, seldom.
    const delayMs = Math.max(
      ms,
      isCrowded ? minuteMs * (0.5 + around.random() / 2) : 0,
      isOffline ? limits.backoffMaxMs : 0,
    );
    this.#cancelWait?.();
    this.#cancelWait = this.#timer(delayMs, () => this.#connect(this.#nextKind(mode)));
    this.retryAtMs = around.now() + delayMs;
    this.#tell(isOffline ? 'offline' : 'waiting', this.failure);
  }

  /** After some sockets that failed, a poll; if that fails too it was not the sockets’ fault, and both take turns. */
  #nextKind(mode: LinkOptions['mode']): Kind {
    if (mode !== 'auto') return mode;
    const isDue = this.#socketFailures >= this.#options.limits.socketFailures;
    return isDue && this.#failures % 2 === 1 ? 'polling' : 'socket';
  }

  /** While requests carry, a socket is tried now and then. */
  #planSocket(): void {
    this.#cancelSocketRetry?.();
    this.#cancelSocketRetry = undefined;
    if (this.#current?.kind !== 'polling' || this.#options.mode !== 'auto') return;
    const ms = this.#options.limits.socketRetryMs * (0.75 + this.#random() / 2);
    this.#cancelSocketRetry = this.#timer(ms, () => {
      if (this.#next === undefined) this.#connect('socket');
    });
  }

  #onHint(): void {
    const { network } = this.#options.around;
    if (network?.isOnline() === false) this.#wasOffline = true;
    if (network?.isOnline() === false || network?.isVisible() === false) return;
    if (this.#wasOffline && this.#current?.kind === 'socket') {
      // The network is another one now, and a socket of the one before would be silent for two heart-beats.
      this.#current.transport?.close();
    }
    this.#wasOffline = false;
    if (this.#current !== undefined || this.#next !== undefined) return;
    // A whole office gets its network back at the same moment.
    this.#failures = 0;
    this.#wait(this.#random() * this.#base());
  }

  #tell(phase: ChatPhase, failure: ChatFailure | null): void {
    if (phase !== 'waiting' && phase !== 'offline') this.retryAtMs = null;
    this.phase = phase;
    this.failure = failure;
    this.#options.onStatus();
  }

  readonly #random = () => this.#options.around.random();

  #base(): number {
    return this.#options.limits.backoffBaseMs;
  }

  #timer(ms: number, callback: () => void): () => void {
    return this.#options.around.setTimer(ms, () => {
      if (!this.#ending.signal.aborted) callback();
    });
  }
}
