import {
  type AnyEndpoint,
  type ChatEvent,
  type ChatMessage,
  type Conversation,
  chat,
  conversations,
  type SyncAnswer,
} from '@hvideo/protocol';
import { EOL, encodeFrame, header, StompDecoder, type StompFrame } from '@hvideo/protocol/stomp';
import type { ChatOptions } from '../../src/chat/options.ts';
import type { ChatSocket, SocketEvents } from '../../src/chat/surroundings.ts';
import { ApiError, NetworkError } from '../../src/errors.ts';
import { type Device, FakeStore, type Room, refusal, type SendOf } from './fake-store.ts';
import type { Timeline } from './timeline.ts';

/** A login: whose it is, and whether anything of it gets through. */
export interface Login {
  readonly account: string;
  readonly session: string;
  /** No socket opens, or stays open. */
  blocksSockets?: boolean;
  blocksRequests?: boolean;
}

type NewEvent =
  | { readonly kind: 'joined' | 'left'; readonly conversationId: string }
  | { readonly kind: 'read'; readonly conversationId: string; readonly seq: number };

/** A request as its endpoint describes it, loosely. */
interface Call {
  readonly params?: { readonly id?: string };
  readonly query?: Record<string, unknown>;
  readonly body?: Record<string, unknown>;
}

/**
 * A server of one node that speaks the codec over sockets which lose, delay and break as the test wants. Time is that of the
 * timeline, and what chance decides too.
 */
export class FakeServer {
  readonly store = new FakeStore();
  readonly timeline: Timeline;
  readonly sockets = new Set<FakeSocket>();
  readonly events = new Map<string, ChatEvent[]>();
  /** Requests by path, as they came. */
  readonly requests: { readonly path: string; readonly login: Login; readonly query: unknown }[] = [];
  /** Chance that an answer to a send is lost, with its connection. */
  lostReceipts = 0;
  /** Answers of sends that are refused for now. */
  overloaded = 0;
  /** What goes wrong with sends of a text: each is answered by 500, before or after it was stored, or ends the connection. */
  readonly broken = new Map<string, 'unstored' | 'stored' | 'cut'>();
  /** Addresses at which nobody gets in, and with what close code they say so. */
  readonly closed = new Map<string, number>();
  /** What nodes say of each other. */
  alternatives: readonly string[] = [];
  /** A delivery is lost on its way: a bug of the server that clients survive. */
  dropsDelivery: (message: ChatMessage) => boolean = () => false;

  constructor(timeline: Timeline) {
    this.timeline = timeline;
    this.store.now = () => timeline.nowMs;
  }

  client(login: Login): ChatOptions['client'] {
    return {
      baseUrl: 'http://server.test',
      authHeaders: async () => ({ Authorization: `Bearer ${login.session}` }),
      call: async (endpoint, ...args) => {
        const [input, options] = args;
        const call: Call = JSON.parse(JSON.stringify(input ?? {}));
        await this.#travel(options?.signal);
        if (login.blocksRequests) throw new NetworkError('blocked', { timedOut: false });
        this.requests.push({ path: endpoint.path, login, query: call.query });
        const answer = await this.#answer(endpoint, call, login, options?.signal);
        await this.#travel(options?.signal);
        if (login.blocksRequests) throw new NetworkError('blocked', { timedOut: false });
        return JSON.parse(JSON.stringify(answer ?? null));
      },
    };
  }

  openSocket(login: Login, url: string, events: SocketEvents): ChatSocket {
    const socket = new FakeSocket(this, login, events);
    const code = this.closed.get(url);
    if (code !== undefined) socket.break(code, '');
    return socket;
  }

  /** All connections break, without a word. */
  cut(which: (socket: FakeSocket) => boolean = () => true): void {
    for (const socket of [...this.sockets]) if (which(socket)) socket.break(1006, '');
  }

  say(account: string, roomId: string, text: string): ChatMessage {
    const device = this.store.device(account, `elsewhere-${account}`, '');
    const chain = `c${this.store.nextId}`;
    const send = { roomId, device, chain, clientSeq: 1, preId: undefined, quote: undefined };
    const { message } = this.store.send({ ...send, body: JSON.stringify({ type: 'text', text }) });
    if (message === undefined) throw new Error('said before');
    this.spread(message);
    return message;
  }

  spread(message: ChatMessage): void {
    for (const socket of this.sockets) socket.pull();
    void message;
  }

  event(account: string, event: NewEvent): void {
    const log = this.events.get(account) ?? [];
    const numbered: ChatEvent = { ...event, pts: log.length + 1 };
    this.events.set(account, [...log, numbered]);
    for (const socket of this.sockets) if (socket.login.account === account) socket.push('events', numbered);
  }

  #travel(signal: AbortSignal | undefined): Promise<void> {
    return this.wait(this.timeline.between(1, 20), signal);
  }

  wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.timeline.setTimer(ms, resolve);
      signal?.addEventListener('abort', () => {
        cancel();
        reject(signal.reason);
      });
    });
  }

  async #answer(
    endpoint: AnyEndpoint,
    call: Call,
    login: Login,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const { account } = login;
    const id = call.params?.id ?? '';
    if (endpoint === chat.sync) return this.#sync(call, login, signal);
    if (endpoint === conversations.list) {
      const rooms = [...this.store.rooms.values()].filter(({ members }) => members.has(account));
      return { items: rooms.map((room) => present(room, account)), nextCursor: null };
    }
    const room = this.store.roomOf(id, account);
    if (endpoint === conversations.get) return present(room, account);
    if (endpoint === conversations.messages) return readMessages(room, call.query ?? {});
    if (endpoint === conversations.members) return { items: presentMembers(room), nextCursor: null };
    if (endpoint === conversations.send) return this.#send(call, login);
    if (endpoint === conversations.read) {
      const member = room.members.get(account);
      const seq = Number(call.body?.['seq']);
      if (member !== undefined && seq > member.readSeq) {
        member.readSeq = seq;
        this.event(account, { kind: 'read', conversationId: id, seq });
      }
      return undefined;
    }
    throw new Error(`no answer to ${endpoint.path}`);
  }

  #send(call: Call, login: Login): unknown {
    const { deviceId, chain, clientSeq, preId, quote, ...content } = call.body ?? {};
    if (this.overloaded > 0) {
      this.overloaded -= 1;
      throw refusal(503, 'overloaded');
    }
    const device = this.store.device(login.account, login.session, String(deviceId));
    const { receipt, message } = this.take({
      ...{ roomId: call.params?.id ?? '', device, chain: String(chain), clientSeq: Number(clientSeq) },
      preId: preId === undefined ? undefined : String(preId),
      quote: quote === undefined ? undefined : String(quote),
      body: JSON.stringify(content),
    });
    if (message !== undefined) this.spread(message);
    return receipt;
  }

  /** The store, and what goes wrong before and after it. */
  take(send: SendOf): ReturnType<FakeStore['send']> {
    const { text } = JSON.parse(send.body);
    const fault = this.broken.get(text);
    if (fault === undefined) return this.store.send(send);
    if (fault === 'stored') this.store.send(send);
    throw fault === 'cut' ? new NetworkError('cut', { timedOut: false }) : refusal(500, 'internal');
  }

  async #sync(call: Call, login: Login, signal: AbortSignal | undefined): Promise<SyncAnswer> {
    const query = call.query ?? {};
    const device = this.store.device(login.account, login.session, String(query['device']));
    for (const pair of String(query['ack'] ?? '').split(',')) {
      const [room, seq] = pair.split(':');
      if (room && seq) device.cursors.set(room, Math.max(Number(seq), device.cursors.get(room) ?? 0));
    }
    const log = this.events.get(login.account) ?? [];
    const endsAt = this.timeline.nowMs + Number(query['wait'] ?? 0) * 1000;
    for (;;) {
      const pending = this.pending(device);
      const events = query['pts'] === undefined ? [] : log.slice(Number(query['pts']));
      if (pending.length > 0 || events.length > 0 || this.timeline.nowMs >= endsAt) {
        const synced = pending.map(({ room, messages }) => ({
          ...{
            conversationId: room.id,
            headSeq: room.messages.length,
            gap: null,
            messages: messages.slice(0, 200),
          },
        }));
        const known = { deviceId: device.id, pts: log.length, tooLong: false, more: false };
        return { ...known, events, conversations: synced };
      }
      await this.wait(50, signal);
    }
  }

  pending(device: Device): { room: Room; messages: ChatMessage[] }[] {
    return [...this.store.rooms.values()].flatMap((room) => {
      if (!room.members.has(device.account)) return [];
      const after = device.cursors.get(room.id) ?? 0;
      const messages = room.messages.filter(
        ({ seq, senderDevice }) => seq > after && senderDevice !== device.id,
      );
      return messages.length === 0 ? [] : [{ room, messages }];
    });
  }
}

/** One connection, as the server sees it. What is written arrives later, in order, unless it breaks before. */
export class FakeSocket implements ChatSocket {
  readonly login: Login;
  readonly #server: FakeServer;
  readonly #events: SocketEvents;
  readonly #decoder = new StompDecoder({ from: 'client' });
  readonly #subscribed = new Set<string>();
  readonly #delivered: { readonly room: string; readonly seq: number }[] = [];
  readonly #sent = new Map<string, number>();
  device: Device | undefined;
  /** Nothing that is written arrives. */
  isMute = false;
  /** WebSocket messages from the client. */
  received = 0;
  #isOver = false;
  #arrivesAt = 0;

  constructor(server: FakeServer, login: Login, events: SocketEvents) {
    this.#server = server;
    this.login = login;
    this.#events = events;
    server.sockets.add(this);
    this.#beat();
    this.#later(() => (login.blocksSockets ? this.break(1006, '') : events.onOpen()));
  }

  #beat(): void {
    this.#server.timeline.setTimer(9_000, () => {
      if (this.#isOver) return;
      if (!this.isMute) this.#events.onMessage(EOL);
      this.#beat();
    });
  }

  send(data: string): void {
    this.#later(() => this.#read(data));
  }

  close(): void {
    this.#isOver = true;
    this.#server.sockets.delete(this);
  }

  break(code: number, reason: string): void {
    if (this.#isOver) return;
    this.close();
    this.#server.timeline.setTimer(1, () => this.#events.onClose(code, reason));
  }

  push(subscription: string, body: object): void {
    if (!this.#subscribed.has(subscription)) return;
    this.#write('MESSAGE', ['subscription', subscription, 'message-id', '0'], JSON.stringify(body));
  }

  /** Sends what the device has not been sent yet. */
  pull(): void {
    if (this.device === undefined || !this.#subscribed.has('messages')) return;
    for (const { room, messages } of this.#server.pending(this.device)) {
      for (const message of messages) {
        if (message.seq <= (this.#sent.get(room.id) ?? 0)) continue;
        this.#sent.set(room.id, message.seq);
        if (!this.#server.dropsDelivery(message)) this.#deliver(message);
      }
    }
  }

  gap(conversation: string, fromSeq: number, toSeq: number): void {
    const range = ['from-seq', String(fromSeq), 'to-seq', String(toSeq)];
    const ack = this.#track(conversation, toSeq);
    this.#sent.set(conversation, toSeq);
    this.#write('MESSAGE', [
      'subscription',
      'messages',
      'type',
      'gap',
      'conversation',
      conversation,
      'ack',
      ack,
      ...range,
    ]);
  }

  #deliver(message: ChatMessage): void {
    this.#write(
      'MESSAGE',
      [
        ...['subscription', 'messages', 'message-id', message.id, 'conversation', message.conversationId],
        ...['seq', String(message.seq), 'sender', message.senderId, 'timestamp', message.timestamp],
        ...(message.senderDevice === null ? [] : ['sender-device', message.senderDevice]),
        ...(message.clientSeq === null ? [] : ['client-seq', String(message.clientSeq)]),
        ...(message.quote === null ? [] : ['quote', String(message.quote)]),
        ...['ack', this.#track(message.conversationId, message.seq)],
      ],
      JSON.stringify(message.content),
    );
  }

  #track(room: string, seq: number): string {
    this.#delivered.push({ room, seq });
    return String(this.#delivered.length);
  }

  #read(data: string): void {
    if (data !== '\n') this.received += 1;
    this.#decoder.push(data);
    for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next())
      this.#take(frame);
  }

  #take(frame: StompFrame): void {
    const { login } = this;
    if (frame.command === 'CONNECT') {
      const server = this.#server;
      this.device = server.store.device(login.account, login.session, header(frame, 'device-id') ?? '');
      for (const other of server.sockets) {
        if (other !== this && other.device === this.device) other.break(4004, 'displaced');
      }
      const headers = ['version', '1.2', 'heart-beat', '20000,20000', 'device-id', this.device.id];
      if (server.alternatives.length > 0) headers.push('alternatives', server.alternatives.join(','));
      this.#write('CONNECTED', headers);
    } else if (frame.command === 'SUBSCRIBE') {
      this.#subscribed.add(header(frame, 'id') ?? '');
      this.pull();
    } else if (frame.command === 'ACK') this.#acknowledge(Number(header(frame, 'id')));
    else if (frame.command === 'SEND') this.#send(frame);
    else if (frame.command === 'DISCONNECT') this.close();
  }

  #acknowledge(count: number): void {
    for (const { room, seq } of this.#delivered.slice(0, count)) {
      const { cursors } = this.device ?? { cursors: new Map<string, number>() };
      cursors.set(room, Math.max(seq, cursors.get(room) ?? 0));
    }
  }

  #send(frame: StompFrame): void {
    const server = this.#server;
    const receiptId = header(frame, 'receipt') ?? '';
    if (this.device === undefined) return;
    try {
      if (server.overloaded > 0) {
        server.overloaded -= 1;
        throw refusal(503, 'overloaded');
      }
      const { receipt, message } = server.take({
        roomId: header(frame, 'destination')?.split('/').at(-1) ?? '',
        device: this.device,
        chain: header(frame, 'chain') ?? '',
        clientSeq: Number(header(frame, 'client-seq')),
        preId: header(frame, 'pre-id'),
        quote: header(frame, 'quote'),
        body: frame.text,
      });
      if (server.timeline.random() < server.lostReceipts) this.break(1006, '');
      this.#write('RECEIPT', [
        ...['receipt-id', receiptId, 'message-id', receipt.id, 'conversation', receipt.conversationId],
        ...['seq', String(receipt.seq), 'timestamp', receipt.timestamp],
      ]);
      if (message !== undefined) server.spread(message);
    } catch (error) {
      if (error instanceof NetworkError) {
        this.break(1006, '');
        return;
      }
      if (!(error instanceof ApiError)) throw error;
      const expected: { code: string; expectedClientSeq?: number | undefined } = { ...error.problem };
      const turn =
        expected.expectedClientSeq === undefined
          ? []
          : ['expected-client-seq', String(expected.expectedClientSeq)];
      const headers = ['subscription', 'errors', 'receipt-id', receiptId, ...turn];
      this.#write('MESSAGE', headers, JSON.stringify(error.problem));
    }
  }

  #write(command: 'CONNECTED' | 'MESSAGE' | 'RECEIPT', headers: string[], body = ''): void {
    if (this.isMute) return;
    const frame = encodeFrame(command, headers, body);
    this.#later(() => this.#events.onMessage(frame));
  }

  #later(work: () => void): void {
    const { timeline } = this.#server;
    this.#arrivesAt = Math.max(this.#arrivesAt, timeline.nowMs + timeline.between(1, 20));
    timeline.setTimer(this.#arrivesAt - timeline.nowMs, () => {
      if (!this.#isOver) work();
    });
  }
}

function present(room: Room, account: string): Conversation {
  const me = room.members.get(account) ?? { readSeq: 0, joinedSeq: 0 };
  const unread = room.messages.filter(({ seq, senderId }) => seq > me.readSeq && senderId !== account).length;
  return {
    ...{ id: room.id, type: 'group', title: room.id, createdAt: new Date(0).toISOString() },
    ...{ memberCount: room.members.size, others: [], role: 'member', headSeq: room.messages.length },
    ...{ joinedSeq: me.joinedSeq, readSeq: me.readSeq, unread, lastMessage: room.messages.at(-1) ?? null },
  };
}

function presentMembers(room: Room): unknown[] {
  return [...room.members].map(([id, { readSeq, deliveredSeq }]) => ({
    ...{ user: { id }, role: 'member', joinedAt: new Date(0).toISOString(), readSeq, deliveredSeq },
  }));
}

function readMessages(room: Room, query: Record<string, unknown>): { items: ChatMessage[]; headSeq: number } {
  const limit = Number(query['limit'] ?? 50);
  const after = Number(query['afterSeq'] ?? 0);
  const before = Number(query['beforeSeq'] ?? Number.POSITIVE_INFINITY);
  const range = room.messages.filter(({ seq }) => seq > after && seq < before);
  const items = query['afterSeq'] === undefined ? range.slice(-limit) : range.slice(0, limit);
  return { items, headSeq: room.messages.length };
}
