export { Cache, type CacheOptions, type InvalidateOptions, type Invalidation } from './cache.ts';
export type { CacheDefinition, Cached, GetOptions } from './definition.ts';
export { type Dependency, dependency } from './dependency.ts';
export { Existence, type ExistenceOptions } from './existence.ts';
export type { CachedReader, Hot } from './reader.ts';
export type { RowChange } from './row-registry.ts';
export type { CacheSnapshot } from './snapshot.ts';
export { ToldTransactions } from './told.ts';
