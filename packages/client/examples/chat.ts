/**
 * Signs in, says one thing to somebody, and prints what is said until the conversation has the given number of messages:
 *
 *     node scripts/bun.mjs packages/client/examples/chat.ts URL NAME PASSWORD PEER WORDS COUNT
 */
import { createChat, createClient } from '@hvideo/client';
import { api } from '@hvideo/protocol';

const [url = 'http://127.0.0.1:8080', login = '', password = '', peer = '', words = 'Hello', count = '1'] =
  process.argv.slice(2);

const client = createClient({ baseUrl: url, session: { kind: 'token' } });
const { user } = await client.call(api.auth.login, { body: { login, password } });
const other = await client.call(api.users.get, { params: { id: `@${peer}` } });

const chat = createChat({ client, accountId: user.id });
const { id } = await chat.create({ type: 'direct', memberIds: [other.id] });
const conversation = chat.conversation(id);

const printed = new Set<number>();
const finished = Promise.withResolvers<void>();
const stop = conversation.subscribe(() => {
  for (const { seq, isOwn, content } of conversation.snapshot().messages) {
    // One's own are shown from the start; here they are printed once they are durable.
    if (seq === null || printed.has(seq) || content.type !== 'text') continue;
    printed.add(seq);
    process.stdout.write(`${seq} ${isOwn ? login : peer}: ${content.text}\n`);
  }
  if (printed.size >= Number(count)) finished.resolve();
});

conversation.send({ type: 'text', text: words });
await finished.promise;
conversation.markRead();
stop();
await chat.close();
