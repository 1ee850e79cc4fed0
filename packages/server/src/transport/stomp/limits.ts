import type { RateLimit } from '../../kernel/rate-limit.ts';

/** Everything that a gateway bounds; named for operators in `docs/operating/running.md`. */
export const gatewayLimits = {
  maxConnections: 100_000,
  /** A further one displaces none: it is refused. */
  maxConnectionsOfAccount: 50,
  /** Behind one address many people may sit. */
  maxConnectionsOfAddress: 2_000,
  /** Sockets whose login is not known yet. */
  maxUnauthenticatedOfAddress: 100,
  connectWithinMs: 10_000,
  /** A frame that has begun ends within so long: who sends a byte a second holds no buffer. */
  frameWithinMs: 30_000,
  maxMessageBytes: 256 * 1024,
  /** More waits for the socket: the connection is behind. */
  pauseAboveBytes: 256 * 1024,
  resumeBelowBytes: 64 * 1024,
  /** Answers and notices that are written all the same end here. */
  maxBufferedBytes: 2 * 1024 * 1024,
  slowForMs: 30_000,
  heartBeatMs: 20_000,
  /** Of the interval: so much later than agreed may a heart-beat come. */
  heartBeatTolerance: 2.5,
  idleSeconds: 120,
  maxSendsUnderWay: 1_000,
  maxRpcUnderWay: 16,
  maxErrorsKept: 50,
  drainSendsMs: 10_000,
  checkLoginsEveryMs: 60_000,
} as const;

/** Frames that nobody needed, of one connection: an acknowledgement of something delivered costs nothing. */
export const frameLimit: RateLimit = { burst: 2_000, perSecond: 400 };
/** Such a piece of what comes in costs as much as a frame. */
export const bytesOfFrame = 4_096;
/** Sockets that an address opens: as many at once as it may have. */
export const upgradeLimit: RateLimit = { burst: 2_000, perSecond: 50 };
/** Subscriptions of an account to messages: each reads its conversations, and what is new in them. */
export const openLimit: RateLimit = { burst: 100, perSecond: 1 };
/** Of one account, over all its connections to this node. */
export const sendLimit: RateLimit = { burst: 200, perSecond: 20 };
/**
 * Who is told to wait and goes on all the same is closed, after so many refusals. What is within the limits makes up for some:
 * of who says a little too much now and then nothing adds up; who goes on at six times the rate is closed.
 */
export const refusalLimit = { most: 500, madeUpForEach: 5 } as const;
