import type { Conversation } from '@hvideo/protocol';
import { Client, type IFrame, type IMessage, type StompConfig } from '@stomp/stompjs';
import { ApiUser } from './api.ts';
import { eventually } from './eventually.ts';

export const socketUrl = (url: string) => `${url.replace(/^http/, 'ws')}/ws`;

export interface Delivered {
  readonly conversation: string;
  readonly seq: number;
  readonly text: string;
  readonly message: IMessage;
}

/** The unmodified client of stompjs, with its own defaults, for one person. */
export class StompUser implements AsyncDisposable {
  readonly client: Client;
  readonly delivered: Delivered[] = [];
  readonly errors: IMessage[] = [];
  readonly events: Record<string, unknown>[] = [];
  readonly replies: IMessage[] = [];
  readonly faults: IFrame[] = [];
  readonly closes: CloseEvent[] = [];
  connected: IFrame | undefined;
  connects = 0;
  #receipts = 0;

  constructor(
    url: string,
    token: string | undefined,
    config: StompConfig = {},
    ack: string | undefined = 'client',
  ) {
    this.client = new Client({
      brokerURL: socketUrl(url),
      connectHeaders: token === undefined ? {} : { passcode: token },
      reconnectDelay: 50,
      ...config,
      onConnect: (frame) => {
        this.connected = frame;
        this.connects += 1;
        const { client } = this;
        client.subscribe('/user/queue/errors', (message) => this.errors.push(message));
        client.subscribe('/user/queue/events', (message) => this.events.push(JSON.parse(message.body)));
        client.subscribe('/user/queue/replies', (message) => this.replies.push(message));
        if (ack) this.listen(ack);
      },
      onStompError: (frame) => this.faults.push(frame),
      onWebSocketClose: (event) => this.closes.push(event),
    });
  }

  listen(ack: string): void {
    this.client.subscribe(
      '/user/queue/messages',
      (message) => {
        const { conversation = '', seq = '0', type } = message.headers;
        const body = JSON.parse(message.body);
        const text = type === 'gap' ? 'gap' : (body.text ?? body.event);
        this.delivered.push({ conversation, seq: Number(seq), text, message });
        if (ack !== 'auto' && this.acknowledges) message.ack();
      },
      { ack, id: 'messages' },
    );
  }

  acknowledges = true;

  async connect(): Promise<this> {
    this.client.activate();
    await eventually(async () => this.connected !== undefined);
    return this;
  }

  /** Publishes with a receipt; answers its headers. */
  say(conversation: string, text: string, headers: Record<string, string> = {}): Promise<IFrame> {
    return this.send(`/app/conversations/${conversation}`, JSON.stringify({ type: 'text', text }), headers);
  }

  send(destination: string, body: string, headers: Record<string, string> = {}): Promise<IFrame> {
    this.#receipts += 1;
    const receipt = `r-${this.#receipts}`;
    const { promise, resolve } = Promise.withResolvers<IFrame>();
    this.client.watchForReceipt(receipt, resolve);
    this.client.publish({ destination, body, headers: { receipt, ...headers } });
    return promise;
  }

  texts(conversation: string): string[] {
    return this.delivered.filter((each) => each.conversation === conversation).map(({ text }) => text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.deactivate({ force: true });
  }
}

let names = 0;

/** People of one community, with a direct conversation between any two. */
export async function people(url: string, count: number): Promise<ApiUser[]> {
  const joined: ApiUser[] = [];
  for (let n = 0; n < count; n += 1) {
    names += 1;
    joined.push(await new ApiUser(url).join(`person_${Date.now() % 1e7}_${names}`));
  }
  return joined;
}

/** Two people in a direct chat, each connected with one of the two processes, or both with the same. */
export async function stompPair(
  [first, second]: readonly [string, string],
  ack: string | undefined = 'client',
  config: StompConfig = {},
) {
  const [ann, bob] = (await people(first, 2)) as [ApiUser, ApiUser];
  const conversation = await directOf(ann, bob);
  const one = await new StompUser(first, ann.accessToken, config).connect();
  const two = await new StompUser(second, bob.accessToken, config, ack).connect();
  return {
    ...{ ann, bob, conversation, one, two },
    [Symbol.asyncDispose]: async () => {
      await one[Symbol.asyncDispose]();
      await two[Symbol.asyncDispose]();
    },
  };
}

export async function directOf(one: ApiUser, other: ApiUser): Promise<string> {
  const answer = await one.call<Conversation>('POST', '/conversations', {
    body: { type: 'direct', memberIds: [other.id] },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.id;
}

export async function groupOf(owner: ApiUser, ...others: ApiUser[]): Promise<string> {
  const answer = await owner.call<Conversation>('POST', '/conversations', {
    body: { type: 'group', memberIds: others.map(({ id }) => id), title: 'A group' },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.id;
}
