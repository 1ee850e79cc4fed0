export { Committer } from './committer.ts';
export type { CommitterDeps, CommitterOptions, Draft, Receipt, SendListener } from './types.ts';
