import { createClient, RESP_TYPES } from '@redis/client';
import type { Logger } from 'pino';
import { AppError } from '../../kernel/errors.ts';
import {
  type Bus,
  type BusHandler,
  MAX_MESSAGE_BYTES,
  MAX_TOPIC_CHARACTERS,
  type Subscription,
} from '../../ports/bus/port.ts';
import { bufferOf, reconnectDelayMs, unreachable } from './connection.ts';
import { withPatience } from './patience.ts';

export interface RedisBusOptions {
  /** Any nodes of one server or cluster; the next one is tried when one is away. */
  readonly urls: readonly string[];
  readonly timeoutMs?: number;
  readonly log: Logger;
}

type Client = ReturnType<typeof clientOf>;

/**
 * Bus on Redis publish and subscribe. In a cluster the servers pass messages on to each other, so that any node will do.
 * Two connections, one to publish and one to listen; each is made anew, with the next address, when it is lost.
 */
export class RedisBus implements Bus, AsyncDisposable {
  readonly #options: RedisBusOptions;
  readonly #timeoutMs: number;
  readonly #topics = new Map<string, Set<BusHandler>>();
  readonly #publisher: Link;
  readonly #listener: Link;
  #isReceiving = false;
  #hasReceived = false;

  private constructor(options: RedisBusOptions) {
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? 250;
    this.#publisher = new Link(options, async () => {});
    this.#listener = new Link(
      options,
      (client) => this.#listen(client),
      () => {
        this.#isReceiving = false;
      },
    );
  }

  /** Throws `timeout` when no address can be reached now. */
  static async open(options: RedisBusOptions): Promise<RedisBus> {
    const bus = new RedisBus(options);
    try {
      await Promise.all([bus.#publisher.start(), bus.#listener.start()]);
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw unreachable(error);
    }
    return bus;
  }

  async publish(topic: string, message: Uint8Array): Promise<void> {
    if (topic.length > MAX_TOPIC_CHARACTERS) throw new Error(`topic too long: ${topic}`);
    if (message.byteLength > MAX_MESSAGE_BYTES) {
      throw new AppError('body-too-large', { detail: `a message of ${message.byteLength} bytes` });
    }
    const client = this.#publisher.client;
    if (!client) throw unreachable(new Error('not connected'));
    await withPatience(this.#timeoutMs, client.publish(topic, bufferOf(message)), unreachable);
  }

  async subscribe(topic: string, handler: BusHandler): Promise<Subscription> {
    const own: BusHandler = {
      onMessage: (message) => handler.onMessage(message),
      onGap: () => handler.onGap(),
    };
    const handlers = this.#topics.get(topic);
    if (handlers) handlers.add(own);
    else this.#topics.set(topic, new Set([own]));
    const client = this.#listener.client;
    // Without a connection it is subscribed with all others as soon as there is one.
    if (client) await withPatience(5_000, this.#subscribeOn(client, [topic]), unreachable);
    const bus = this;
    return {
      get isReceiving() {
        return bus.#isReceiving;
      },
      [Symbol.asyncDispose]: () => this.#unsubscribe(topic, own),
    };
  }

  async #unsubscribe(topic: string, own: BusHandler): Promise<void> {
    const handlers = this.#topics.get(topic);
    if (!handlers?.delete(own) || handlers.size > 0) return;
    this.#topics.delete(topic);
    const client = this.#listener.client;
    if (!client) return;
    await client.unsubscribe(topic, undefined, true);
    // Somebody may have subscribed again while the server was being told.
    if (this.#topics.has(topic)) await this.#subscribeOn(client, [topic]);
  }

  /** One listener for all topics: the client keeps each listener of a topic once. */
  readonly #onMessage = (message: Uint8Array, topic: Uint8Array | string) =>
    this.#deliver(topic.toString(), message);

  async #subscribeOn(client: Client, topics: string[]): Promise<void> {
    await client.subscribe(topics, this.#onMessage, true);
  }

  #deliver(topic: string, message: Uint8Array): void {
    // A new connection may deliver before its confirmation has been seen.
    this.#becomeReceiving();
    for (const handler of [...(this.#topics.get(topic) ?? [])]) {
      if (this.#topics.get(topic)?.has(handler)) handler.onMessage(message);
    }
  }

  /** All topics in one command: none is deaf while another is heard again. */
  async #listen(client: Client): Promise<void> {
    if (this.#topics.size > 0) await this.#subscribeOn(client, [...this.#topics.keys()]);
    this.#becomeReceiving();
  }

  #becomeReceiving(): void {
    if (this.#isReceiving) return;
    this.#isReceiving = true;
    const isFirstTime = !this.#hasReceived;
    this.#hasReceived = true;
    if (isFirstTime) return;
    for (const handlers of this.#topics.values()) for (const handler of [...handlers]) handler.onGap();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#topics.clear();
    this.#publisher.close();
    this.#listener.close();
    this.#options.log.debug('bus closed');
  }
}

/** One connection at a time, made again for ever after a loss. */
class Link {
  readonly #options: RedisBusOptions;
  readonly #onUp: (client: Client) => Promise<void>;
  readonly #onDown: () => void;
  #client: Client | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempts = 0;
  #isClosed = false;

  constructor(options: RedisBusOptions, onUp: (client: Client) => Promise<void>, onDown = () => {}) {
    this.#options = options;
    this.#onUp = onUp;
    this.#onDown = onDown;
  }

  get client(): Client | undefined {
    return this.#client;
  }

  async start(): Promise<void> {
    const { urls, log } = this.#options;
    const client = clientOf(urls[this.#attempts++ % urls.length] ?? '');
    client.on('error', (error: Error) => {
      log.debug({ error: error.message }, 'bus connection');
      this.#lose(client);
    });
    client.on('end', () => this.#lose(client));
    try {
      await withPatience(5_000, client.connect(), unreachable);
      this.#client = client;
      await withPatience(5_000, this.#onUp(client), unreachable);
      this.#attempts = 0;
    } catch (error) {
      if (this.#client === client) this.#client = undefined;
      if (client.isOpen) client.destroy();
      throw error;
    }
    if (this.#isClosed) this.close();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    if (client?.isOpen) client.destroy();
  }

  #lose(client: Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    this.#onDown();
    if (client.isOpen) client.destroy();
    this.#retry();
  }

  #retry(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.start().catch((error: unknown) => {
        this.#options.log.debug({ error: String(error) }, 'bus connection');
        this.#retry();
      });
    }, reconnectDelayMs(this.#attempts));
  }
}

function clientOf(url: string) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: 50_000,
    pingInterval: 1_000,
    // Reconnecting is done by `Link`, which may take another address and says when messages were missed.
    socket: { connectTimeout: 2_000, socketTimeout: 5_000, reconnectStrategy: false },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
}
