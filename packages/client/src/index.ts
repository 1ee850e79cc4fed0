export { defaultLimits, type RetryLimits } from './attempts.ts';
export * from './chat/index.ts';
export { type CallArgs, type CallOptions, type Client, type ClientOptions, createClient } from './client.ts';
export { ApiError, NetworkError } from './errors.ts';
export type { EventOptions, ServerEvent } from './events.ts';
export { memoryStore, type SessionState, type SessionStore, storageStore } from './session.ts';
