import { conversationStoreContract } from '../../src/ports/conversation-store/contract.ts';
import { deviceStoreContract } from '../../src/ports/device-store/contract.ts';
import { messageStoreContract } from '../../src/ports/message-store/contract.ts';
import { postgresChatStores } from '../support/chat-stores.ts';

messageStoreContract('PostgreSQL', postgresChatStores);
conversationStoreContract('PostgreSQL', postgresChatStores);
deviceStoreContract('PostgreSQL', postgresChatStores);
