export { Committer } from './committer.ts';
export { measured } from './measured.ts';
export { Owner } from './remote/owner.ts';
export { RemoteCommitter } from './remote/remote-committer.ts';
export type { Commits, CommitterDeps, CommitterOptions, Draft, Receipt, SendListener } from './types.ts';
