/** The process behind `hold` of the benchmark of idle connections. */
const { url, tokens } = (await Bun.stdin.json()) as { url: string; tokens: string[] };
const atOnce = 200;
const sockets: WebSocket[] = [];
for (let from = 0; from < tokens.length; from += atOnce)
  sockets.push(...(await Promise.all(tokens.slice(from, from + atOnce).map(connect))));
process.stdout.write('held\n');
setInterval(() => {
  for (const { readyState } of sockets) if (readyState !== WebSocket.OPEN) process.exit(1);
}, 1000);

function connect(token: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, {
      protocols: ['v12.stomp'],
      headers: { authorization: `Bearer ${token}` },
    } as unknown as string[]);
    socket.onopen = () =>
      socket.send(
        'CONNECT\naccept-version:1.2\nheart-beat:0,0\n\n\0SUBSCRIBE\nid:m\ndestination:/user/queue/messages\nack:client\nreceipt:subscribed\n\n\0',
      );
    socket.onmessage = ({ data }) => {
      if ((data as string).includes('receipt-id:subscribed')) resolve(socket);
    };
    socket.onclose = ({ code, reason }) => reject(new Error(`closed ${code} ${reason}`));
  });
}

export {};
