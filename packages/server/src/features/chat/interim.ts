import type { ChatMark } from '@hvideo/protocol';
import type { StoredEvent } from '../../ports/conversation-store/port.ts';
import type { StoredMessage } from '../../ports/message-store/port.ts';
import type { News, Told } from './types.ts';

/** Until delivery is there: nobody is told, and who waits looks again by itself. */
export class Untold implements Told, News {
  committed(_messages: readonly StoredMessage[]): void {}
  events(_events: readonly StoredEvent[]): void {}
  mark(_mark: ChatMark): void {}
  waitForNews(_accountId: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
}
