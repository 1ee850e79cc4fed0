import type { Chat } from '@hvideo/client';
import { createChat } from '@hvideo/client';
import { client } from '../app/client.ts';

/** Messages of a conversation that are in the document at once. */
const maxWindow = 300;

/** The chat of an account on this device; it connects by itself. */
export const openChat = (accountId: string): Chat => createChat({ client, accountId, limits: { maxWindow } });
