// Two people talk over STOMP: npm install @stomp/stompjs, then
//   node docs/examples/stomp-client.mjs http://127.0.0.1:8080 NAME PASSWORD OTHER_NAME OTHER_PASSWORD
// On Node before 22 there is no WebSocket: `npm install ws` and `Object.assign(globalThis, { WebSocket: (await import('ws')).WebSocket })`.
import { Client } from '@stomp/stompjs';

const [base = 'http://127.0.0.1:8080', ...logins] = process.argv.slice(2);

async function call(method, path, token, body) {
  const response = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

/** Connects, and calls back for each message. Messages that were not acknowledged come again after a reconnect. */
function connect(login, password, onMessage) {
  return new Promise((resolve, reject) => {
    const client = new Client({
      brokerURL: `${base.replace(/^http/, 'ws')}/ws`,
      // Access tokens last for minutes: each connection gets a new one.
      beforeConnect: async () => {
        const { accessToken, user } = await call('POST', '/auth/login', undefined, { login, password });
        client.connectHeaders = { passcode: accessToken, 'device-id': `example-${login}` };
        client.user = { ...user, accessToken };
      },
      onConnect: () => {
        client.subscribe('/user/queue/errors', (message) => console.error('refused:', message.body));
        client.subscribe('/user/queue/events', (message) => console.log('event:', message.body));
        client.subscribe(
          '/user/queue/messages',
          (message) => {
            onMessage(message);
            message.ack(); // covers everything before it as well
          },
          { ack: 'client' },
        );
        resolve(client);
      },
      onStompError: (frame) => reject(new Error(`${frame.headers.message}: ${frame.body}`)),
      // From 4000 to 4499 trying again would meet the same refusal.
      onWebSocketClose: ({ code }) => {
        if (code >= 4000 && code < 4500) client.deactivate();
      },
    });
    client.activate();
  });
}

/** Resolves with the headers of the receipt: the message is durable by then. */
function send(client, conversation, text, clientSeq) {
  const receipt = `${conversation}-${clientSeq}`;
  return new Promise((resolve) => {
    client.watchForReceipt(receipt, (frame) => resolve(frame.headers));
    client.publish({
      destination: `/app/conversations/${conversation}`,
      // A chain is chosen at random, with the storage of its counter: sent again, a number is stored once.
      headers: { receipt, chain: client.chain, 'client-seq': String(clientSeq) },
      body: JSON.stringify({ type: 'text', text }),
    });
  });
}

const [name, password, otherName, otherPassword] = logins;
let arrive;
const arrived = new Promise((resolve) => {
  arrive = resolve;
});
const one = await connect(name, password, () => {});
const two = await connect(otherName, otherPassword, (message) => {
  const { conversation, seq, sender } = message.headers;
  console.log(`message ${seq} of ${conversation} from ${sender}: ${JSON.parse(message.body).text}`);
  arrive();
});
one.chain = crypto.randomUUID();
const { id } = await call('POST', '/conversations', one.user.accessToken, {
  type: 'direct',
  memberIds: [two.user.id],
});
const receipt = await send(one, id, `Hello, ${otherName}`, 1);
console.log(`stored as ${receipt.seq} at ${receipt.timestamp}`);
const again = await send(one, id, `Hello, ${otherName}`, 1);
console.log(`sent again: ${again.seq}, duplicate: ${again.duplicate}`);
await arrived;
await Promise.all([one.deactivate(), two.deactivate()]);
