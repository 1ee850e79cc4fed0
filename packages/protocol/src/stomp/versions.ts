import { StompFault } from './fault.ts';
import type { StompVersion } from './frame.ts';

/** The highest first. */
export const STOMP_VERSIONS: readonly StompVersion[] = ['1.2', '1.1', '1.0'];

/** Names of WebSocket subprotocols, in the same order. */
export const STOMP_SUBPROTOCOLS: readonly string[] = STOMP_VERSIONS.map(subprotocolOf);

/** A header names a handful of versions; more is nobody’s client. */
const maxOffered = 32;

/**
 * The highest version of `accept-version` that we know too. Without the header the client speaks 1.0 only. Throws the
 * fault `unsupported-version` when there is none in common.
 */
export function negotiateVersion(acceptVersion: string | undefined): StompVersion {
  const offered = acceptVersion === undefined ? ['1.0'] : split(acceptVersion);
  const version = STOMP_VERSIONS.find((known) => offered.includes(known));
  if (version === undefined) throw new StompFault('unsupported-version', STOMP_VERSIONS.join(','));
  return version;
}

export function subprotocolOf(version: StompVersion): string {
  return `v${version.replace('.', '')}.stomp`;
}

/**
 * Which of the offered subprotocols (`Sec-WebSocket-Protocol`) to answer with: the highest, or undefined when STOMP is
 * not among them. What counts later is `accept-version`.
 */
export function negotiateSubprotocol(offered: string | undefined): string | undefined {
  const names = split(offered ?? '');
  return STOMP_SUBPROTOCOLS.find((known) => names.includes(known));
}

function split(list: string): string[] {
  return list.split(',', maxOffered).map((name) => name.trim());
}
