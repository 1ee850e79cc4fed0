import { MAX_CONVERSATIONS, MAX_EVENTS } from '../../../ports/conversation-store/port.ts';

/** The limits are those of the port but in tests of them. */
export interface ConversationLimits {
  readonly maxConversations: number;
  readonly maxEvents: number;
}

export const defaultLimits: ConversationLimits = {
  maxConversations: MAX_CONVERSATIONS,
  maxEvents: MAX_EVENTS,
};
