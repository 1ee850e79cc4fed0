import {
  type Chat,
  type ChatOptions,
  type ChatSocket,
  createChat,
  createClient,
  memoryStore,
} from '@hvideo/client';
import type { ChatMessage } from '@hvideo/protocol';
import type { ApiUser } from './api.ts';

/** The chat of the SDK for one person, over real sockets that a test can break. */
export class SdkUser implements AsyncDisposable {
  readonly chat: Chat;
  readonly got: ChatMessage[] = [];
  readonly sent: { readonly seq: number; readonly text: string }[] = [];
  readonly errors: unknown[] = [];
  readonly #sockets = new Set<WebSocket>();
  /** No socket opens. */
  blocksSockets = false;

  constructor(url: string, user: ApiUser, options: Partial<ChatOptions> = {}) {
    const accessExpiresAtMs = Date.now() + 600_000;
    const { accessToken = '', refreshToken = '' } = user;
    const store = memoryStore({
      accessToken,
      refreshToken,
      accessExpiresAtMs,
      refreshKey: crypto.randomUUID(),
    });
    this.chat = createChat({
      client: createClient({ baseUrl: url, session: { kind: 'token', store } }),
      accountId: user.id,
      onError: (error) => this.errors.push(error),
      limits: { backoffBaseMs: 50, backoffMaxMs: 500, maxConnectsPerMinute: 1_000, socketRetryMs: 500 },
      surroundings: { openSocket: (target, protocols, events) => this.#open(target, protocols, events) },
      ...options,
    });
    this.chat.on((event) => {
      if (event.type === 'messages') this.got.push(...event.messages);
      if (event.type !== 'sent' || event.message.content.type !== 'text') return;
      this.sent.push({ seq: event.message.seq ?? 0, text: event.message.content.text });
    });
  }

  get status() {
    return this.chat.status.snapshot();
  }

  /** As when the network is gone: no close frame, nothing more is heard. */
  breakSockets(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.chat.close();
  }

  #open(
    url: string,
    protocols: readonly string[],
    events: Parameters<NonNullable<ChatOptions['surroundings']>['openSocket'] & {}>[2],
  ): ChatSocket {
    const socket = new WebSocket(this.blocksSockets ? 'ws://127.0.0.1:1/' : url, [...protocols]);
    this.#sockets.add(socket);
    socket.onopen = () => events.onOpen();
    socket.onmessage = ({ data }) => events.onMessage(String(data));
    socket.onclose = ({ code, reason }) => {
      this.#sockets.delete(socket);
      events.onClose(code, reason);
    };
    return {
      send: (data) => socket.readyState === WebSocket.OPEN && socket.send(data),
      close: (code, reason) => socket.close(code, reason),
    };
  }
}
