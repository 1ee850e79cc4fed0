/**
 * Ephemeral publish and subscribe between nodes.
 *
 * Purpose: hints that make things fast (an entry was filled, a row has changed, a key is hot). Never the only way for
 * something to become known: a lost message may cost time, not correctness.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - Delivery: at most once, to everybody subscribed when the message passes, the publisher included. A subscriber
 *   gets what is published after `subscribe` has resolved.
 * - Ordering: the messages of one publisher on one topic arrive in the order of their `publish` calls.
 * - Gaps are told: when messages may have been missed (the connection was lost), `onGap` is called once the topic is
 *   received again, before any later message, and `isReceiving` is false in between.
 * - A failed `publish` is told: it rejects, outcome unknown. The publisher decides whether to repeat it.
 *
 * Units and limits: a topic is at most 200 characters, a message at most 1 MiB. A handler must not throw and must not
 * block: it is called synchronously, one message after another.
 * Errors: `timeout` (outcome unknown) when the bus cannot be reached.
 * Cost: one message to the bus and one to each subscribed node.
 */
export interface Bus {
  publish(topic: string, message: Uint8Array): Promise<void>;
  /** Disposing it ends the subscription: no call of a handler afterwards. */
  subscribe(topic: string, handler: BusHandler): Promise<Subscription>;
}

export interface BusHandler {
  onMessage(message: Uint8Array): void;
  onGap(): void;
}

export interface Subscription extends AsyncDisposable {
  /** False while messages are being missed, as far as is known. */
  readonly isReceiving: boolean;
}

export const MAX_TOPIC_CHARACTERS = 200;
export const MAX_MESSAGE_BYTES = 1 << 20;
