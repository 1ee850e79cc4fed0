import { messagePrefix, type StompVersion } from '@hvideo/protocol/stomp';

/** How MESSAGE frames of one subscription are written. */
export interface Style {
  readonly subscription: string;
  /** The frame up to its own headers. */
  readonly prefix: string;
  readonly version: StompVersion;
  /** The client acknowledges: each message says by what name. */
  readonly isAcknowledged: boolean;
}

const maxShared = 1_000;
const shared = new Map<string, Style>();

/** Clients name their subscriptions all alike, so that one object, and one text of each message, serves many. */
export function styleOf(subscription: string, version: StompVersion, isAcknowledged: boolean): Style {
  const key = `${version} ${isAcknowledged} ${subscription}`;
  const known = shared.get(key);
  if (known) return known;
  const style = { subscription, prefix: messagePrefix(subscription, version), version, isAcknowledged };
  if (shared.size < maxShared) shared.set(key, style);
  return style;
}
