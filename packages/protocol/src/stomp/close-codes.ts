import type { StompFaultCode } from './fault.ts';

/**
 * Why the server closed a WebSocket. From 4000 to 4499 connecting again would meet the same refusal: somebody has to do
 * something first. From 4500 to 4999 the client comes again by itself, with a growing, random delay.
 */
export const CLOSE_CODES = {
  /** What came is not STOMP, or not allowed at this moment; the ERROR frame before says what. */
  protocolFault: 4000,
  /** No valid token, neither with the upgrade nor in CONNECT. */
  unauthenticated: 4001,
  /** The login has ended: logged out, password changed, account suspended or deleted. */
  loginEnded: 4002,
  /** The page that opened the socket is not one of ours. */
  forbiddenOrigin: 4003,
  /** A newer connection of the same device has taken over. To come again would displace that one. */
  displaced: 4004,
  /** A frame, its headers or its body are over a limit: the same frame would be refused again. */
  tooLarge: 4008,
  /** It went on sending after the refusals of a rate limit: a program out of control. */
  flooding: 4009,
  /** No version of STOMP in common. */
  unsupportedVersion: 4010,

  /** The node is about to stop: go to another one, at once. */
  draining: 4500,
  /** It reads too slowly for what it is sent. Nothing is lost: the next connection is told what it missed. */
  tooSlow: 4501,
  /** The node has no room: go to another one. */
  overloaded: 4502,
  /** Nothing was heard from the client for longer than its heart-beats allow. */
  heartBeatMissed: 4503,
  /** The access token has expired: renew it, then connect. */
  tokenExpired: 4504,
  /** The account or the address has too many connections at this moment. */
  tooManyConnections: 4505,
  /** CONNECT, or the rest of a frame, did not come in time. */
  timedOut: 4506,
  /** A fault of the server. */
  internal: 4507,
} as const;

export type CloseCode = (typeof CLOSE_CODES)[keyof typeof CLOSE_CODES];

/** Codes of RFC 6455 and its registry after which the same client would be refused again. */
const finalStandardCodes: ReadonlySet<number> = new Set([
  1000, // all is done: the answer to DISCONNECT
  1002, // protocol error
  1003, // unsupported data
  1007, // text that is no UTF-8
  1008, // policy violation
  1009, // message too big
  1010, // an extension is missing
  3000, // unauthorized
  3003, // forbidden
]);

/** Whether a client may connect again by itself after this close. A lost connection (1006) is the usual case. */
export function mayReconnect(code: number): boolean {
  if (code >= 4000 && code <= 4999) return code >= 4500;
  return !finalStandardCodes.has(code);
}

const sizeFaults: ReadonlySet<StompFaultCode> = new Set([
  'too-many-headers',
  'header-line-too-long',
  'headers-too-large',
  'body-too-large',
  'buffer-full',
  'too-many-frames',
]);

/** The code with which the connection is closed after the ERROR frame of this fault. */
export function closeCodeOfFault(code: StompFaultCode): CloseCode {
  if (code === 'unsupported-version') return CLOSE_CODES.unsupportedVersion;
  if (code === 'unencodable') return CLOSE_CODES.internal;
  return sizeFaults.has(code) ? CLOSE_CODES.tooLarge : CLOSE_CODES.protocolFault;
}
