/** What a chat takes from its surroundings, so that a simulation can own all of it. */
export interface ChatSurroundings {
  /** Milliseconds since 1970, for what people see. It may jump. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  /** 128 random bits as letters and digits: names of instances and chains. */
  randomName(): string;
  /** Calls back once, after `ms` of a clock that does not jump; the answer cancels it. */
  setTimer(ms: number, callback: () => void): () => void;
  /** Begins to connect. A failure, also an immediate one, is told as `onClose`; never by throwing. */
  openSocket(url: string, protocols: readonly string[], events: SocketEvents): ChatSocket;
  /** Without it, other tabs are not known, and each chat is an instance of its own. */
  readonly locks?: ChatLocks | undefined;
  readonly network?: NetworkHints | undefined;
}

export interface SocketEvents {
  onOpen(): void;
  onMessage(data: string | Uint8Array): void;
  /** The last call; 1006 when the connection broke. */
  onClose(code: number, reason: string): void;
}

export interface ChatSocket {
  send(data: string): void;
  /** Nothing is told after it but `onClose`, and that not surely. */
  close(code: number, reason: string): void;
}

/** A WebSocket as browsers have it; that of the package `ws` is one too. */
export type WebSocketClass = new (url: string, protocols: string[]) => WebSocketLike;

/** What is used of it. Its events are those of browsers. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(data: string): void;
  close(code: number, reason: string): void;
}

export interface ChatLocks {
  /**
   * Takes the lock if nobody holds it, in any tab, and answers how to release it; null when it is held. A holder that
   * dies lets go of it.
   */
  tryLock(name: string): Promise<(() => void) | null>;
}

/** Hints only: what they say is tried, not believed. */
export interface NetworkHints {
  isOnline(): boolean;
  isVisible(): boolean;
  /** Calls back when one of them changes; the answer ends it. */
  onChange(callback: () => void): () => void;
}
