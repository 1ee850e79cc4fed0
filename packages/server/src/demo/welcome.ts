import { messageBody } from '@hvideo/protocol';
import type { Accounts } from '../features/accounts/index.ts';
import type { Chat } from '../features/chat/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import { remembered } from '../kernel/remembered.ts';
import type { ChangeConsumer } from '../ports/change-feed/port.ts';
import type { Database } from '../ports/database/port.ts';
import type { JobKind, JobQueue } from '../ports/job-queue/port.ts';
import { roster } from './people/roster.ts';

type Line = readonly [username: string, text: string];

/** Each begins a direct chat. */
const greetings: readonly (readonly Line[])[] = [
  [
    ['lin_wanqiu', '欢迎来！我刚剪完一段极光，等会儿发出来。'],
    ['lin_wanqiu', '你平时喜欢看什么样的？'],
  ],
  [
    ['jonas_lindqvist', 'Hi, good to see somebody new here.'],
    ['jonas_lindqvist', 'It is raining again, so there will be a new recording tonight.'],
  ],
];

const group: { readonly title: string; readonly lines: readonly Line[] } = {
  title: '夜里看海 · Night sea',
  lines: [
    ['chenyu', '周五晚上舟山有蓝眼泪，有人一起拍吗？'],
    ['maya_okafor', 'Blue tears?! I would bring a tripod for that.'],
    ['xu_zhixia', '我去！顺便找萤火虫'],
    ['chenyu', 'Then it is settled: Friday, eight, at the lighthouse.'],
    ['maya_okafor', 'Tell me what to pack 🌊'],
  ],
};

const welcomeKind: JobKind<{ readonly accountId: string }> = {
  name: 'demo-welcome',
  retryLimit: 3,
  leaseSeconds: 30,
  concurrency: 1,
};

export interface WelcomeDeps {
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly chat: Pick<Chat, 'conversations' | 'committer'>;
}

/** Whoever joins a demo finds a few conversations there. What was begun before is gone on with: nothing is said twice. */
export function welcomeToDemo(deps: WelcomeDeps): ChangeConsumer {
  const { accounts, clock, db, jobs } = deps;
  const isDemo = remembered(clock, 10_000, async () => (await accounts.registration.instance()).demo);
  const known = new Set(roster.map(({ username }) => username));
  jobs.handle(welcomeKind, ({ payload }) => welcome(deps, payload.accountId));
  return {
    name: 'demo-welcome',
    tables: [{ table: 'account' }],
    async handle({ rows }) {
      for (const { operation, after } of rows) {
        if (operation !== 'insert' || !after || known.has(String(after.username)) || !(await isDemo()))
          continue;
        const accountId = String(after.id);
        await db.transaction((tx) =>
          jobs.enqueue(tx, welcomeKind, { accountId }, { key: `welcome:${accountId}` }),
        );
      }
    },
    async rebuild() {},
  };
}

async function welcome(deps: WelcomeDeps, accountId: string): Promise<void> {
  const { conversations } = deps.chat;
  const ids = await peopleOf(deps, [...greetings.flat(), ...group.lines]);
  for (const lines of greetings) {
    const from = ids.get(lines[0]?.[0] ?? '');
    if (from === undefined) continue;
    const { id } = await conversations.create(from, { type: 'direct', memberIds: [accountId] });
    await say(deps, id, lines, ids);
  }
  const [leader, ...others] = [...new Set(group.lines.map(([username]) => username))];
  const leaderId = ids.get(leader ?? '');
  if (leaderId === undefined) return;
  const memberIds = [...others.flatMap((username) => ids.get(username) ?? []), accountId];
  const key = `demo-welcome-${accountId}`;
  const { id } = await conversations.create(
    leaderId,
    { type: 'group', memberIds, title: group.title },
    { accountId: leaderId, key, requestHash: key },
  );
  await say(deps, id, group.lines, ids);
}

/** In the name of people without a device: the account stands for it. */
async function say(
  { chat }: WelcomeDeps,
  conversationId: string,
  lines: readonly Line[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const said = new Map<string, number>();
  for (const [username, text] of lines) {
    const senderId = ids.get(username);
    if (senderId === undefined) continue;
    const clientSeq = (said.get(username) ?? 0) + 1;
    said.set(username, clientSeq);
    const body = messageBody({ type: 'text', text });
    await chat.committer.send({
      conversationId,
      senderId,
      deviceId: senderId,
      body,
      chain: 'welcome',
      clientSeq,
    });
  }
}

async function peopleOf({ accounts }: WelcomeDeps, lines: readonly Line[]): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const username of new Set(lines.map(([username]) => username))) {
    const id = await accounts.profiles.resolve(`@${username}`).catch(undefinedIfNotFound);
    if (id !== undefined) ids.set(username, id);
  }
  return ids;
}

function undefinedIfNotFound(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'not-found') return undefined;
  throw error;
}
