/** A WebSocket of this server, as whoever speaks over it uses it. */
export interface ServerSocket {
  /** Octets sent; -1: they wait; 0: the connection is gone. */
  send(text: string): number;
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** Whoever speaks over a WebSocket of this server. */
export interface SocketEnd {
  opened(socket: ServerSocket): void;
  received(data: string | Uint8Array): void;
  drained(): void;
  closed(code: number): void;
}

/** Who takes WebSockets, and what they may cost. */
export interface Sockets {
  readonly path: string;
  /** Throws what the request is refused with. */
  upgrade(
    request: Request,
    address: string,
  ): { readonly end: SocketEnd; readonly protocol: string | undefined };
}

export interface SocketLimits {
  readonly maxMessageBytes: number;
  /** What waits for a socket that takes no more; beyond it the connection is cut. */
  readonly maxBufferedBytes: number;
  /** A socket that is silent for so long is asked whether it is there. */
  readonly idleSeconds: number;
}

/**
 * No compression: a message of a chat is 300 to 400 octets, its zlib state is kept for each connection (docs/decisions).
 */
export const websocketOptions = ({ maxMessageBytes, maxBufferedBytes, idleSeconds }: SocketLimits) => ({
  maxPayloadLength: maxMessageBytes,
  backpressureLimit: maxBufferedBytes,
  closeOnBackpressureLimit: true,
  idleTimeout: idleSeconds,
  sendPings: true,
  perMessageDeflate: false,
  open: (socket: Bun.ServerWebSocket<SocketEnd>) => socket.data.opened(socket),
  message: (socket: Bun.ServerWebSocket<SocketEnd>, data: string | Buffer) => socket.data.received(data),
  drain: (socket: Bun.ServerWebSocket<SocketEnd>) => socket.data.drained(),
  close: (socket: Bun.ServerWebSocket<SocketEnd>, code: number) => socket.data.closed(code),
});

export const defaultSocketLimits: SocketLimits = {
  maxMessageBytes: 256 * 1024,
  maxBufferedBytes: 4 * 1024 * 1024,
  idleSeconds: 120,
};

/** Which pages may open sockets. */
export interface UpgradeRules {
  readonly publicOrigin: string | undefined;
  readonly allowsOrigin: (origin: string) => boolean;
}
