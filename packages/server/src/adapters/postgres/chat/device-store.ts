import { AppError } from '../../../kernel/errors.ts';
import { compareIds } from '../../../kernel/ids.ts';
import type { Database, Sql } from '../../../ports/database/port.ts';
import {
  type Cursor,
  type Device,
  type DeviceName,
  type DeviceStore,
  type DeviceStoreOptions,
  MAX_BOX,
  MAX_DEVICES,
  type News,
  type PendingConversation,
} from '../../../ports/device-store/port.ts';

export class PostgresDeviceStore implements DeviceStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  register(name: DeviceName): Promise<Device> {
    return this.#db.transaction((tx) => register(tx, name));
  }

  /** Derived from memberships and heads, whatever the box holds. */
  async pending(device: Device, options: DeviceStoreOptions = {}): Promise<PendingConversation[] | null> {
    const { sql } = this.#db;
    const rows = await sql<{ id: string | null; cursor_seq: string; head_seq: string }>`
      select behind.* from chat_device d left join lateral (
        select m.conversation_id as id, greatest(c.seq, m.joined_seq) as cursor_seq, h.seq as head_seq
        from conversation_member m join conversation_head h using (conversation_id)
        left join chat_cursor c on c.device_id = d.id and c.conversation_id = m.conversation_id
        where m.account_id = ${device.accountId} and h.seq > greatest(c.seq, m.joined_seq)
      ) behind on true
      where d.id = ${device.id}
      order by not exists (
        select from offline_box where device_id = d.id and conversation_id = behind.id
      ), behind.id`.withSignal(options.signal);
    if (rows.length === 0) return null;
    return rows.flatMap(({ id, cursor_seq, head_seq }) =>
      id === null ? [] : [{ conversationId: id, cursorSeq: Number(cursor_seq), headSeq: Number(head_seq) }],
    );
  }

  async checkpoint(cursors: readonly Cursor[], nowMs: number): Promise<void> {
    if (cursors.length > 0) await this.#db.transaction((tx) => checkpoint(tx, cursors, nowMs));
  }

  note(news: readonly News[], nowMs: number): Promise<void> {
    return this.#db.transaction((tx) => note(tx, news, nowMs));
  }

  async forget(seenBeforeMs: number, limit: number): Promise<number> {
    const { sql } = this.#db;
    const rows = await sql`
      delete from chat_device where id in (
        select id from chat_device where seen_at < ${new Date(seenBeforeMs)}
        order by seen_at limit ${limit} for update skip locked)
      returning id`;
    return rows.length;
  }
}

async function register(tx: Sql, name: DeviceName): Promise<Device> {
  const { id, accountId, sessionId, instance } = name;
  const now = new Date(name.nowMs);
  const [session] = await tx`
    select from session where id = ${sessionId} and account_id = ${accountId} and expires_at > ${now} for key share`;
  if (!session) throw new AppError('token-invalid');
  const [row] = await tx<{ id: string; is_new: boolean }>`
    insert into chat_device as d (id, account_id, session_id, instance, created_at, seen_at)
    values (${id}, ${accountId}, ${sessionId}, ${instance}, ${now}, ${now})
    on conflict (session_id, instance) do update set seen_at = greatest(d.seen_at, excluded.seen_at)
    returning id, id = ${id}::int8 and xmax = 0 as is_new`;
  if (!row) throw new Error('the device was neither found nor made');
  if (row.is_new) {
    // What is committed after this statement's snapshot is above these cursors, and pending.
    await tx`
      insert into chat_cursor (device_id, conversation_id, seq)
      select ${id}::int8, m.conversation_id, h.seq
      from conversation_member m join conversation_head h using (conversation_id)
      where m.account_id = ${accountId} order by m.conversation_id`;
    await giveWay(tx, accountId, id);
  }
  return { id: row.id, accountId, isNew: row.is_new };
}

async function giveWay(tx: Sql, accountId: string, newId: string): Promise<void> {
  await tx`
    delete from chat_device where id in (
      select id from chat_device where account_id = ${accountId} and id <> ${newId}
      order by seen_at desc, id desc offset ${MAX_DEVICES - 1} for update)`;
}

async function checkpoint(tx: Sql, cursors: readonly Cursor[], nowMs: number): Promise<void> {
  const deviceIds = [...new Set(cursors.map(({ deviceId }) => deviceId))];
  // The devices first, in order, and their rows after them: so does everybody who writes them.
  const devices = await tx<{ id: string; overflowed: boolean }>`
    with device as (
      select id from chat_device where id = any(${tx.array(deviceIds, 'int8')}) order by id for no key update
    )
    update chat_device d set seen_at = greatest(seen_at, ${new Date(nowMs)}) from device where d.id = device.id
    returning d.id, d.box_overflowed as overflowed`;
  if (devices.length === 0) return;
  await raiseCursors(tx, cursors);
  const overflowed = devices.filter((device) => device.overflowed).map(({ id }) => id);
  if (overflowed.length === 0) return;
  await tx`
    update chat_device d set box_overflowed = false
    where d.id = any(${tx.array(overflowed, 'int8')}) and not exists (
      select from conversation_member m join conversation_head h using (conversation_id)
      left join chat_cursor c on c.device_id = d.id and c.conversation_id = m.conversation_id
      where m.account_id = d.account_id and h.seq > greatest(c.seq, m.joined_seq))`;
}

/** Not above the heads: what has not been said cannot have arrived. */
async function raiseCursors(tx: Sql, cursors: readonly Cursor[]): Promise<void> {
  const named = () => tx`
    unnest(
      ${tx.array(
        cursors.map(({ deviceId }) => deviceId),
        'int8',
      )},
      ${tx.array(
        cursors.map(({ conversationId }) => conversationId),
        'int8',
      )},
      ${tx.array(
        cursors.map(({ seq }) => seq),
        'int8',
      )}
    ) as cursor (device_id, conversation_id, seq)`;
  await tx`
    insert into chat_cursor as known (device_id, conversation_id, seq)
    select d.id, conversation_id, max(least(cursor.seq, h.seq))
    from ${named()} join chat_device d on d.id = cursor.device_id join conversation_head h using (conversation_id)
    group by d.id, conversation_id order by d.id, conversation_id
    on conflict (device_id, conversation_id) do update set seq = excluded.seq where known.seq < excluded.seq`;
  await tx`
    delete from offline_box b using ${named()}, chat_cursor c, conversation_head h
    where b.device_id = cursor.device_id and b.conversation_id = cursor.conversation_id
      and c.device_id = b.device_id and c.conversation_id = b.conversation_id
      and h.conversation_id = b.conversation_id and h.seq <= c.seq`;
}

async function note(tx: Sql, news: readonly News[], nowMs: number): Promise<void> {
  const present = new Set(
    news.flatMap(({ conversationId, presentDeviceIds }) =>
      presentDeviceIds.map((id) => `${id}/${conversationId}`),
    ),
  );
  const pairs = news.flatMap(({ conversationId, accountIds }) =>
    accountIds.map((accountId) => ({ conversationId, accountId })),
  );
  if (pairs.length === 0) return;
  const away = (
    await tx<{ device_id: string; id: string }>`
    select d.id as device_id, pair.conversation_id as id
    from unnest(
      ${tx.array(
        pairs.map(({ conversationId }) => conversationId),
        'int8',
      )},
      ${tx.array(
        pairs.map(({ accountId }) => accountId),
        'int8',
      )}
    ) as pair (conversation_id, account_id)
    join chat_device d on d.account_id = pair.account_id
    where not d.box_overflowed`
  ).filter((row) => !present.has(`${row.device_id}/${row.id}`));
  if (away.length === 0) return;
  const devices = [...new Set(away.map((row) => row.device_id))].sort(compareIds);
  // A device or a conversation that has gone meanwhile has no pointer.
  await tx`
    with device as (
      select id from chat_device where id = any(${tx.array(devices, 'int8')}) order by id for key share
    )
    insert into offline_box (device_id, conversation_id, noted_at)
    select distinct device.id, c.id, ${new Date(nowMs)}::timestamptz
    from unnest(
      ${tx.array(
        away.map((row) => row.device_id),
        'int8',
      )}, ${tx.array(
        away.map((row) => row.id),
        'int8',
      )}
    ) as away (device_id, conversation_id)
    join device on device.id = away.device_id join conversation c on c.id = away.conversation_id
    order by 1, 2
    on conflict do nothing`;
  await overflow(tx, devices);
}

async function overflow(tx: Sql, devices: readonly string[]): Promise<void> {
  const full = await tx<{ id: string }>`
    select id from unnest(${tx.array(devices, 'int8')}) as device (id)
    where (select count(*) from offline_box where device_id = device.id) > ${MAX_BOX} order by id`;
  if (full.length === 0) return;
  const ids = full.map(({ id }) => id);
  await tx`
    with device as (select id from chat_device where id = any(${tx.array(ids, 'int8')}) order by id for no key update)
    update chat_device d set box_overflowed = true from device where d.id = device.id`;
  await tx`delete from offline_box where device_id = any(${tx.array(ids, 'int8')})`;
}
