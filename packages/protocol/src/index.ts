export * from './accounts.ts';
export * from './api.ts';
export * from './common.ts';
export * from './endpoint.ts';
export * from './history.ts';
export * from './uploads.ts';
export * from './users.ts';
export * from './videos.ts';
