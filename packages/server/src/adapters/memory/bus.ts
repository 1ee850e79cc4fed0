import { AppError } from '../../kernel/errors.ts';
import {
  type Bus,
  type BusHandler,
  MAX_MESSAGE_BYTES,
  MAX_TOPIC_CHARACTERS,
  type Subscription,
} from '../../ports/bus/port.ts';

/** A bus within one process. Messages are delivered after the publisher's present turn, in order. */
export class MemoryBus implements Bus {
  readonly #topics = new Map<string, Set<BusHandler>>();

  publish(topic: string, message: Uint8Array): Promise<void> {
    if (topic.length > MAX_TOPIC_CHARACTERS) throw new Error(`topic too long: ${topic}`);
    if (message.byteLength > MAX_MESSAGE_BYTES) {
      throw new AppError('body-too-large', { detail: `a message of ${message.byteLength} bytes` });
    }
    return Promise.resolve().then(() => {
      for (const handler of [...(this.#topics.get(topic) ?? [])]) {
        if (this.#topics.get(topic)?.has(handler)) handler.onMessage(message);
      }
    });
  }

  async subscribe(topic: string, handler: BusHandler): Promise<Subscription> {
    // A handler of one's own for each call: the same object may be subscribed twice.
    const own: BusHandler = {
      onMessage: (message) => handler.onMessage(message),
      onGap: () => handler.onGap(),
    };
    const handlers = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, handlers);
    handlers.add(own);
    return {
      isReceiving: true,
      [Symbol.asyncDispose]: async () => {
        handlers.delete(own);
        if (handlers.size === 0 && this.#topics.get(topic) === handlers) this.#topics.delete(topic);
      },
    };
  }
}
