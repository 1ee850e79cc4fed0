/** What one side takes from the other. Every buffer of the decoder is bounded by these. */
export interface StompLimits {
  /** Headers of one frame, repeated ones included. */
  readonly maxHeaders: number;
  /** One header line, without its end. */
  readonly maxHeaderLineBytes: number;
  /** Command and headers of one frame, with the ends of their lines. */
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  /** What waits for the rest of its frame; at least headers and body together, and the largest WebSocket message. */
  readonly maxBufferedBytes: number;
  /** Frames that share one WebSocket message. */
  readonly maxFramesPerPush: number;
}

/** What a server takes from clients that it does not trust. */
export const CLIENT_FRAME_LIMITS: StompLimits = {
  maxHeaders: 32,
  maxHeaderLineBytes: 4 * 1024,
  maxHeaderBytes: 8 * 1024,
  maxBodyBytes: 64 * 1024,
  maxBufferedBytes: 256 * 1024,
  maxFramesPerPush: 1_000,
};

/** What a client takes from its server, which sends many frames at once after a reconnect. */
export const SERVER_FRAME_LIMITS: StompLimits = {
  maxHeaders: 64,
  maxHeaderLineBytes: 8 * 1024,
  maxHeaderBytes: 32 * 1024,
  maxBodyBytes: 4 * 1024 * 1024,
  maxBufferedBytes: 8 * 1024 * 1024,
  maxFramesPerPush: 100_000,
};
