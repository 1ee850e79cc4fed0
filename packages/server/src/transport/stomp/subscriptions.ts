import { header, type StompFrame, type StompVersion } from '@hvideo/protocol/stomp';
import type { AckMode } from '../../features/chat/delivery/index.ts';
import { QUEUES, type Queue } from './frames.ts';
import { type Style, styleOf } from './styles.ts';

/** What a SUBSCRIBE asks for. */
export interface Wanted {
  readonly queue: Queue;
  readonly id: string;
  readonly ack: AckMode;
}

/** Why it is not to be had: the code of the ERROR, and what it is about. */
export interface Unwanted {
  readonly code: string;
  readonly detail: string | undefined;
}

/** What one connection listens to: each queue at most once. */
export class Subscriptions {
  messages: Style | undefined = undefined;
  events: Style | undefined = undefined;
  replies: Style | undefined = undefined;
  errors: Style | undefined = undefined;

  read(frame: StompFrame, version: StompVersion): Wanted | Unwanted {
    const destination = header(frame, 'destination');
    const id = subscriptionId(frame, version);
    const ack = header(frame, 'ack') ?? 'auto';
    const queue = queueNames.find((name) => QUEUES[name] === destination);
    if (id === undefined || id === '') return { code: 'missing-header', detail: 'SUBSCRIBE without id' };
    if (!queue) return { code: 'unknown-destination', detail: 'there is no such queue' };
    if (ack !== 'auto' && ack !== 'client' && ack !== 'client-individual')
      return { code: 'invalid-ack-mode', detail: ack };
    if (this[queue] || this.#queueOf(id)) return { code: 'already-subscribed', detail: destination };
    return { queue, id, ack };
  }

  add({ queue, id, ack }: Wanted, version: StompVersion): void {
    this[queue] = styleOf(id, version, queue === 'messages' && ack !== 'auto');
  }

  /** The queue that an UNSUBSCRIBE ends; undefined: it names none. */
  end(frame: StompFrame, version: StompVersion): Queue | undefined {
    const queue = this.#queueOf(subscriptionId(frame, version));
    if (queue) this[queue] = undefined;
    return queue;
  }

  #queueOf(id: string | undefined): Queue | undefined {
    return id === undefined ? undefined : queueNames.find((name) => this[name]?.subscription === id);
  }
}

const queueNames = Object.keys(QUEUES) as Queue[];

/** 1.0 may name a subscription by its destination. */
const subscriptionId = (frame: StompFrame, version: StompVersion) =>
  header(frame, 'id') ?? (version === '1.0' ? header(frame, 'destination') : undefined);
