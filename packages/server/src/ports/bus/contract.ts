import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Bus, type BusHandler, MAX_MESSAGE_BYTES } from './port.ts';

export interface BusFactory {
  /** Two nodes on one bus; the same object twice where there is only one node. */
  readonly nodes: readonly [Bus, Bus];
  /** Cuts every connection of the bus and lets it come back; absent where nothing can be cut. */
  readonly interrupt?: () => Promise<void>;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (message: Uint8Array) => new TextDecoder().decode(message);

/** Collects messages; `until` waits for a number of them. */
function collector() {
  const messages: string[] = [];
  let gaps = 0;
  let wake = () => {};
  const handler: BusHandler = {
    onMessage: (message) => {
      messages.push(textOf(message));
      wake();
    },
    onGap: () => {
      gaps += 1;
      messages.push('gap');
      wake();
    },
  };
  const until = async (isThere: () => boolean, deadlineMs = 10_000) => {
    const endMs = performance.now() + deadlineMs;
    while (!isThere()) {
      if (performance.now() > endMs) throw new Error(`only ${JSON.stringify(messages.slice(-5))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  return { messages, handler, until, gaps: () => gaps };
}

/** Every adapter of Bus passes this, with its production settings. */
export function busContract(name: string, factory: () => Promise<BusFactory>): void {
  describe(`Bus contract: ${name}`, () => {
    let made: BusFactory;
    let here: Bus;
    let there: Bus;
    beforeAll(async () => {
      made = await factory();
      [here, there] = made.nodes;
    });
    afterAll(() => made.close());

    test('everybody subscribed gets a message, the publisher included, and nobody else does', async () => {
      const [one, two, other] = [collector(), collector(), collector()];
      await using _one = await here.subscribe('topic-a', one.handler);
      await using _two = await there.subscribe('topic-a', two.handler);
      await using _other = await there.subscribe('topic-b', other.handler);
      await here.publish('topic-a', bytes('hello'));
      await one.until(() => one.messages.length === 1);
      await two.until(() => two.messages.length === 1);
      await here.publish('topic-b', bytes('end'));
      await other.until(() => other.messages.length === 1);
      expect([one.messages, two.messages, other.messages]).toEqual([['hello'], ['hello'], ['end']]);
    });

    test('the messages of one publisher stay in order, and bytes stay bytes', async () => {
      const sink = collector();
      const raw: Uint8Array[] = [];
      await using _a = await there.subscribe('order', sink.handler);
      await using _b = await there.subscribe('order', { onMessage: (m) => raw.push(m), onGap: () => {} });
      const sent = Array.from({ length: 500 }, (_, n) => String(n));
      await Promise.all(sent.map((text) => here.publish('order', bytes(text))));
      await sink.until(() => sink.messages.length === sent.length);
      expect(sink.messages).toEqual(sent);
      await here.publish('order', new Uint8Array([0, 255, 10, 13, 128]));
      await sink.until(() => sink.messages.length === sent.length + 1);
      expect([...raw.at(-1)!]).toEqual([0, 255, 10, 13, 128]);
    });

    test('a subscription that was disposed of hears nothing more', async () => {
      const [gone, stays] = [collector(), collector()];
      const subscription = await here.subscribe('leaving', gone.handler);
      await using _stays = await here.subscribe('leaving', stays.handler);
      await subscription[Symbol.asyncDispose]();
      await there.publish('leaving', bytes('late'));
      await stays.until(() => stays.messages.length === 1);
      expect(gone.messages).toEqual([]);
    });

    test('a message that is too large is refused', async () => {
      const large = new Uint8Array(MAX_MESSAGE_BYTES + 1);
      const attempt = (async () => here.publish('large', large))();
      expect(attempt).rejects.toMatchObject({ code: 'body-too-large' });
      await attempt.catch(() => {});
    });

    test('a gap is told after an interruption, before any later message', async () => {
      if (!made.interrupt) return;
      const sink = collector();
      await using subscription = await there.subscribe('gap', sink.handler);
      await here.publish('gap', bytes('before'));
      await sink.until(() => sink.messages.length === 1);
      await made.interrupt();
      await sink.until(() => sink.gaps() > 0);
      expect(subscription.isReceiving).toBe(true);
      // The publisher's own connection may come back a little later than the subscriber's.
      const endMs = performance.now() + 10_000;
      for (;;) {
        const isSent = await here.publish('gap', bytes('after')).then(
          () => true,
          () => false,
        );
        if (isSent) break;
        if (performance.now() > endMs) throw new Error('the publisher did not come back');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await sink.until(() => sink.messages.at(-1) === 'after');
      expect(sink.messages.slice(0, 2)).toEqual(['before', 'gap']);
    });
  });
}
