import { MemoryConversationStore } from '../../src/adapters/memory/chat/conversation-store.ts';
import { MemoryDeviceStore } from '../../src/adapters/memory/chat/device-store.ts';
import { MemoryMessageStore } from '../../src/adapters/memory/chat/message-store.ts';
import { MemoryChat } from '../../src/adapters/memory/chat/state.ts';
import { PostgresConversationStore } from '../../src/adapters/postgres/chat/conversation-store.ts';
import { PostgresDeviceStore } from '../../src/adapters/postgres/chat/device-store.ts';
import { PostgresMessageStore } from '../../src/adapters/postgres/chat/message-store.ts';
import { openDatabase } from '../../src/adapters/postgres/database.ts';
import type { Database } from '../../src/ports/database/port.ts';
import { type ChatStores, LIMITED } from '../../src/ports/message-store/chat-world.ts';
import { testDatabase, testLog } from './database.ts';

export function memoryChatStores(chat = new MemoryChat()): ChatStores {
  const handles = () => ({
    messages: new MemoryMessageStore(chat),
    conversations: new MemoryConversationStore(chat),
    devices: new MemoryDeviceStore(chat),
  });
  return {
    ...handles(),
    second: handles(),
    limited: new MemoryConversationStore(chat, LIMITED),
    account: async (id) => {
      chat.accounts.add(id);
    },
    block: async (blocker, blocked) => {
      chat.blocks.add(`${blocker}:${blocked}`);
    },
    unblock: async (blocker, blocked) => {
      chat.blocks.delete(`${blocker}:${blocked}`);
    },
    session: async (id, accountId) => {
      chat.sessions.set(id, accountId);
    },
    endSession: async (id) => chat.endSession(id),
    boxOf: async (deviceId) => {
      const device = chat.devices.get(deviceId);
      return device?.boxOverflowed ? 'overflowed' : [...(device?.box ?? [])];
    },
    close: async () => {},
  };
}

/** In a database of its own, by two pools. */
export async function postgresChatStores(): Promise<ChatStores & { readonly database: Database }> {
  const first = await testDatabase();
  const second = openDatabase({ url: first.url, maxConnections: 4, log: testLog });
  return {
    ...handlesOf(first.database),
    second: handlesOf(second),
    limited: new PostgresConversationStore(first.database, { limits: LIMITED }),
    ...rowsOf(first.database),
    database: first.database,
    close: async () => {
      await second.close();
      await first[Symbol.asyncDispose]();
    },
  };
}

const handlesOf = (db: Database) => ({
  messages: new PostgresMessageStore(db),
  conversations: new PostgresConversationStore(db),
  devices: new PostgresDeviceStore(db),
});

/** Accounts, blocks and logins by their tables. */
export function rowsOf({
  sql,
}: Database): Pick<ChatStores, 'account' | 'block' | 'unblock' | 'session' | 'endSession' | 'boxOf'> {
  return {
    account: async (id) => {
      await sql`
        insert into account (id, username, display_name, created_at)
        values (${id}, ${`user_${id}`}, ${`User ${id}`}, ${new Date()})`;
    },
    block: async (blocker, blocked) => {
      await sql`
        insert into block (id, blocker_id, blocked_id, created_at)
        values (${blocker}, ${blocker}, ${blocked}, ${new Date()})`;
    },
    unblock: async (blocker, blocked) => {
      await sql`delete from block where blocker_id = ${blocker} and blocked_id = ${blocked}`;
    },
    session: async (id, accountId) => {
      await sql`
        insert into session (id, account_id, device, address, created_at, last_used_at, expires_at)
        values (${id}, ${accountId}, 'Test', '127.0.0.1', ${new Date()}, ${new Date()}, '2100-01-01')`;
    },
    endSession: async (id) => {
      await sql`delete from session where id = ${id}`;
    },
    boxOf: async (deviceId) => {
      const pointers = await sql<{ id: string }>`
        select conversation_id as id from offline_box where device_id = ${deviceId} order by 1`;
      const [device] = await sql`select from chat_device where id = ${deviceId} and box_overflowed`;
      return device && pointers.length === 0 ? 'overflowed' : pointers.map(({ id }) => id);
    },
  };
}
