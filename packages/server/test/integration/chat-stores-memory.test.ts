import { conversationStoreContract } from '../../src/ports/conversation-store/contract.ts';
import { deviceStoreContract } from '../../src/ports/device-store/contract.ts';
import { messageStoreContract } from '../../src/ports/message-store/contract.ts';
import { memoryChatStores } from '../support/chat-stores.ts';

messageStoreContract('memory', async () => memoryChatStores());
conversationStoreContract('memory', async () => memoryChatStores());
deviceStoreContract('memory', async () => memoryChatStores());
