import type { ChatClient, ChatLoad, ChatLoadResult } from './chat-load.ts';

/** The process behind `runChatLoad`. It reads frames by their first letters, and only what it needs of them. */
const load = (await Bun.stdin.json()) as ChatLoad;
const filler = 'x'.repeat(Math.max(0, load.textBytes - 16));
/** Chains are named at random, as every client does: a number means one message for good. */
const run = crypto.randomUUID().slice(0, 8);
/** In an open loop they are gathered for so long, as the SDK does. */
const ackMs = 200;
const failures = new Map<string, number>();
const counts = { sent: 0, receipts: 0, delivered: 0 };
const latenciesMs: number[] = [];
let isMeasuring = false;
let isSending = false;

class Client {
  readonly #socket: WebSocket;
  readonly #conversationId: string | undefined;
  readonly #head: string;
  readonly ready: Promise<void>;
  #clientSeq = 0;
  #unacknowledged = '';

  constructor({ token, conversationId }: ChatClient, at: number) {
    this.#conversationId = conversationId;
    this.#head = `SEND\ndestination:/app/conversations/${conversationId}\nchain:${run}-${at}\ncontent-type:application/json\n`;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    const socket = new WebSocket(load.url, {
      protocols: ['v12.stomp'],
      headers: { authorization: `Bearer ${token}` },
    } as unknown as string[]);
    this.#socket = socket;
    socket.onopen = () =>
      socket.send(
        'CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0SUBSCRIBE\nid:m\ndestination:/user/queue/messages\nack:client\nreceipt:subscribed\n\n\0' +
          'SUBSCRIBE\nid:e\ndestination:/user/queue/errors\nack:auto\n\n\0',
      );
    socket.onmessage = ({ data }) => this.#take(data as string, resolve);
    socket.onclose = ({ code, reason }) => {
      if (isSending) note(`closed ${code} ${reason}`);
      reject(new Error(`closed ${code} ${reason}`));
    };
  }

  get sends(): boolean {
    return this.#conversationId !== undefined;
  }

  #take(data: string, ready: () => void): void {
    let lastAck = '';
    let receipts = 0;
    for (let from = 0; from < data.length; ) {
      const first = data.charCodeAt(from);
      if (first === 10) {
        from += 1;
        continue;
      }
      const end = data.indexOf('\0', from);
      if (end < 0) throw new Error('a frame is not whole');
      if (first === 77) lastAck = this.#message(data, from, end) || lastAck;
      else if (data.startsWith('RECEIPT', from)) {
        if (data.startsWith('subscribed', data.indexOf('receipt-id:', from) + 11)) ready();
        else receipts += 1;
      } else if (data.startsWith('ERROR', from)) note(data.slice(from, Math.min(end, from + 300)));
      from = end + 1;
    }
    let answer = '';
    if (lastAck !== '' && load.window === undefined) this.#unacknowledged = lastAck;
    else if (lastAck !== '') answer = `ACK\nid:${lastAck}\n\n\0`;
    if (receipts > 0) {
      if (isMeasuring) counts.receipts += receipts;
      if (load.window !== undefined && isSending)
        for (let turn = 0; turn < receipts; turn++) answer += this.#next();
    }
    if (answer !== '') this.#socket.send(answer);
  }

  /** The value of `ack`, or '' for what is not of the queue of messages. */
  #message(data: string, from: number, end: number): string {
    const at = data.indexOf('\nack:', from);
    if (at < 0 || at > end) {
      note(data.slice(from, Math.min(end, from + 400)));
      return '';
    }
    if (isMeasuring) counts.delivered += 1;
    if (load.perSecond !== undefined && isMeasuring) {
      const sentAt = data.indexOf('"text":"', from) + 8;
      latenciesMs.push(performance.timeOrigin + performance.now() - Number(data.slice(sentAt, sentAt + 16)));
    }
    return data.slice(at + 5, data.indexOf('\n', at + 5));
  }

  #next(): string {
    this.#clientSeq += 1;
    if (isMeasuring) counts.sent += 1;
    const time = (performance.timeOrigin + performance.now()).toFixed(2).padStart(16, '0');
    const body = `{"type":"text","text":"${time}${filler}"}`;
    return `${this.#head}client-seq:${this.#clientSeq}\nreceipt:${this.#clientSeq}\ncontent-length:${body.length}\n\n${body}\0`;
  }

  /** Acknowledgements of many messages are one. */
  acknowledge(): void {
    if (this.#unacknowledged !== '') this.#socket.send(`ACK\nid:${this.#unacknowledged}\n\n\0`);
    this.#unacknowledged = '';
  }

  send(count: number): void {
    let frames = '';
    for (let turn = 0; turn < count; turn++) frames += this.#next();
    this.#socket.send(frames);
  }

  close(): void {
    this.#socket.close();
  }
}

function note(text: string): void {
  failures.set(text, (failures.get(text) ?? 0) + 1);
}

const clients: Client[] = [];
for (let from = 0; from < load.clients.length; from += 200) {
  const some = load.clients.slice(from, from + 200).map((client, at) => new Client(client, from + at));
  await Promise.all(some.map(({ ready }) => ready));
  clients.push(...some);
}
const senders = clients.filter(({ sends }) => sends);
isSending = true;
if (load.window !== undefined) for (const sender of senders) sender.send(load.window);
else {
  setInterval(() => {
    for (const client of clients) client.acknowledge();
  }, ackMs);
  void sendAtRate(load.perSecond ?? 0);
}
await Bun.sleep(load.warmUpSeconds * 1000);
const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
isMeasuring = true;
await Bun.sleep(load.seconds * 1000);
isMeasuring = false;
const seconds = (performance.now() - startedMs) / 1000;
const used = process.cpuUsage(cpu);
isSending = false;
latenciesMs.sort((a, b) => a - b);
const percentile = (share: number) =>
  Number((latenciesMs[Math.floor(latenciesMs.length * share)] ?? 0).toFixed(1));
const result: ChatLoadResult = {
  ...{ ...counts, seconds, p50Ms: percentile(0.5), p99Ms: percentile(0.99) },
  failures: [...failures].slice(0, 10).map(([text, times]) => `${times} x ${text}`),
  cpuMs: Math.round((used.user + used.system) / 1000),
};
process.stdout.write(JSON.stringify(result));
for (const client of clients) client.close();
process.exit(0);

/** Evenly over the senders and the time, whatever the answers do. */
async function sendAtRate(perSecond: number): Promise<void> {
  const startMs = performance.now();
  let sent = 0;
  let turn = 0;
  while (isSending) {
    const due = Math.floor(((performance.now() - startMs) / 1000) * perSecond);
    for (; sent < due; sent++) senders[turn++ % senders.length]!.send(1);
    await Bun.sleep(1);
  }
}
