/**
 * Load on a chat, made by one process: sockets that speak STOMP and cost as little as they can. A message is counted
 * when its receipt has come; what the others get is acknowledged, several by one ACK when they came together.
 */
export interface ChatLoad {
  /** `ws://127.0.0.1:8080/ws` */
  readonly url: string;
  readonly clients: readonly ChatClient[];
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly textBytes: number;
  /** Closed loop: each sender keeps so many messages on the way. */
  readonly window?: number;
  /** Open loop: so many messages a second in all, however long they take. */
  readonly perSecond?: number;
}

export interface ChatClient {
  readonly token: string;
  /** Where it sends to; left out: it only receives. */
  readonly conversationId?: string;
}

export interface ChatLoadResult {
  readonly sent: number;
  readonly receipts: number;
  readonly delivered: number;
  readonly seconds: number;
  /** From send to receive; empty in a closed loop, where they say nothing. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: readonly string[];
  readonly cpuMs: number;
}

/** In a process of its own. */
export async function runChatLoad(load: ChatLoad): Promise<ChatLoadResult> {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/chat-load-worker.ts`], {
    stdin: new Blob([JSON.stringify(load)]),
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error('the load ended with a failure');
  return JSON.parse(text) as ChatLoadResult;
}

/**
 * A relay that keeps nothing and checks nothing: it answers each SEND with a receipt and hands it to the other one of the
 * pair, or to all others of the group. `size` neighbours by order of connection are a group.
 */
export const relaySource = (size: number) => `
const size = ${size};
const sockets = [];
const server = Bun.serve({
  port: 0, hostname: '127.0.0.1',
  fetch: (request, server) => server.upgrade(request, { data: { at: 0 } }) ? undefined : new Response('', { status: 400 }),
  websocket: {
    open(socket) { socket.data.at = sockets.push(socket) - 1; },
    message(socket, data) {
      let receipts = '', messages = '';
      for (let from = 0, end; (end = data.indexOf('\\0', from)) >= 0; from = end + 1) {
        while (data.charCodeAt(from) === 10) from++;
        if (data.startsWith('SEND', from)) {
          const at = data.indexOf('\\nreceipt:', from) + 9;
          receipts += 'RECEIPT\\nreceipt-id:' + data.slice(at, data.indexOf('\\n', at)) + '\\n\\n\\0';
          messages += 'MESSAGE\\nack:1' + data.slice(from + 4, end + 1);
        } else if (data.startsWith('CONNECT', from)) receipts += 'CONNECTED\\nversion:1.2\\n\\n\\0';
        else if (data.startsWith('SUBSCRIBE', from)) receipts += 'RECEIPT\\nreceipt-id:subscribed\\n\\n\\0';
      }
      if (receipts) socket.send(receipts);
      if (messages) {
        const first = socket.data.at - socket.data.at % size;
        for (let at = first; at < first + size; at++) if (at !== socket.data.at) sockets[at]?.send(messages);
      }
    },
  },
});
console.log(server.port);`;
