import { chatOf } from './chat-session.ts';

export { forgetChat } from './chat-session.ts';

/** What is on its way is mostly there by then. */
const flushMs = 2_000;

/** Messages that would be lost if the account left this device now: those of all tabs, after what can be sent was sent. */
export async function countUnsent(accountId: string): Promise<number> {
  const chat = chatOf(accountId);
  try {
    await chat.flush({ signal: AbortSignal.timeout(flushMs) });
  } catch {
    // What was not sent in that time is counted.
  }
  return chat.countUnsent();
}
