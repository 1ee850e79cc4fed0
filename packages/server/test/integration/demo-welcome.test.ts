import { expect, test } from 'bun:test';
import type { Conversation, Page } from '@hvideo/protocol';
import { ApiUser } from '../support/api.ts';
import { runApplication } from '../support/application.ts';
import { eventually } from '../support/eventually.ts';

test('whoever joins a demo finds conversations, in both languages', async () => {
  await using t = await runApplication();
  expect(await t.features.demo.begin()).toBe(true);
  const visitor = await new ApiUser(t.url).join('visitor');
  const found = await eventually(async () => {
    const { body } = await visitor.call<Page<Conversation>>('GET', '/conversations');
    return body.items.find(({ type, headSeq }) => type === 'group' && headSeq === 6) && body.items;
  }, 30_000);
  expect(found.map(({ type, unread }) => [type, unread])).toEqual([
    ['group', 6],
    ['direct', 2],
    ['direct', 2],
  ]);
  expect(await t.features.chatRecords.audit()).toEqual([]);
}, 60_000);
