export { createChat } from './chat.ts';
export { indexedDbChatStore } from './indexed-db.ts';
export {
  ChatError,
  type ChatLimits,
  type ChatOptions,
  defaultChatLimits,
} from './options.ts';
export { type ChatStore, type Json, memoryChatStore, type StoreChange, type StoredValue } from './store.ts';
export type {
  ChatLocks,
  ChatSocket,
  ChatSurroundings,
  NetworkHints,
  SocketEvents,
  WebSocketClass,
  WebSocketLike,
} from './surroundings.ts';
export type * from './types.ts';
