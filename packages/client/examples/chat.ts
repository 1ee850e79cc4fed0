/**
 * Signs in, says one thing to somebody, and prints what is said until the conversation has the given number of messages:
 *
 *     node scripts/bun.mjs packages/client/examples/chat.ts URL NAME PASSWORD PEER WORDS COUNT
 *
 * The same runs in Node, with the packages that `npm run pack-sdk` makes, once it is compiled.
 */
import { createChat, createClient } from '@hvideo/client';
import { api } from '@hvideo/protocol';

const [url = 'http://127.0.0.1:8080', login = '', password = '', peer = '', words = 'Hello', count = '1'] =
  process.argv.slice(2);

const client = createClient({ baseUrl: url, session: { kind: 'token' } });
const { user } = await client.call(api.auth.login, { body: { login, password } });
const other = await client.call(api.users.get, { params: { id: `@${peer}` } });

// Node before 22 has no WebSocket of its own.
const WebSocket = globalThis.WebSocket ?? (await import('ws')).WebSocket;
const chat = createChat({ client, accountId: user.id, WebSocket });
const { id } = await chat.create({ type: 'direct', memberIds: [other.id] });
const conversation = chat.conversation(id);

/** Printed up to here: in the order that is the same for everybody, so one's own wait for those before them. */
let last: number | undefined;
function print(): boolean {
  const { messages, isLoaded, hasOlder } = conversation.snapshot();
  if (!isLoaded) return false;
  last ??= hasOlder ? (messages[0]?.seq ?? 1) - 1 : 0;
  for (const { seq, isOwn, content } of messages) {
    if (seq !== last + 1) continue;
    last = seq;
    if (content.type === 'text') process.stdout.write(`${seq} ${isOwn ? login : peer}: ${content.text}\n`);
  }
  return last >= Number(count);
}

await new Promise<void>((resolve) => {
  conversation.subscribe(() => {
    if (print()) resolve();
  });
  conversation.send({ type: 'text', text: words });
});
conversation.markRead();
await chat.close();
