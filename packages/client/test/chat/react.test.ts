import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test';
import { Window } from 'happy-dom';
import { act, createElement, type FunctionComponent, StrictMode } from 'react';
import type { createRoot as CreateRoot } from 'react-dom/client';
import { useChatStatus, useConversation, useConversations } from '../../src/react.ts';
import { type Tab, World } from './world.ts';

/** What React looks for. It is there for this file only: other tests are no page. */
const names = ['window', 'document', 'navigator', 'IS_REACT_ACT_ENVIRONMENT'];
const before = new Map(names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]));
const page = new Window();
let createRoot: typeof CreateRoot;

beforeAll(async () => {
  const values = [page, page.document, page.navigator, true];
  for (const [at, name] of names.entries()) {
    Object.defineProperty(globalThis, name, { value: values[at], configurable: true, writable: true });
  }
  ({ createRoot } = await import('react-dom/client'));
});
afterAll(async () => {
  for (const [name, descriptor] of before) {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, descriptor);
  }
  await page.happyDOM.close();
});

let world: World;
const mounted: { unmount(): void }[] = [];
const unmountAll = () =>
  act(async () => {
    for (const root of mounted.splice(0)) root.unmount();
  });
afterEach(async () => {
  await unmountAll();
  await world.end();
});

function open(): Tab {
  world = new World(4);
  for (const room of ['room', 'hall']) world.server.store.room(room, ['ann', 'bob']);
  for (let at = 1; at <= 3; at += 1) world.server.say('bob', 'room', `m${at}`);
  return world.open({ account: 'ann', session: 'a1' });
}

async function mount(component: FunctionComponent<{ id: string }>, id = 'room') {
  const element = Object.assign(page.document.createElement('div'));
  const root = createRoot(element);
  mounted.push(root);
  const show = (next: string) =>
    act(async () => root.render(createElement(StrictMode, null, createElement(component, { id: next }))));
  await show(id);
  return { show, text: () => String(element.textContent) };
}

const pass = (ms: number) => act(async () => world.timeline.pass(ms));

test('a conversation loads when it is shown, follows what is said, and is left when the component goes', async () => {
  const tab = open();
  const view = await mount(({ id }) => {
    const { snapshot } = useConversation(tab.chat, id);
    return `${snapshot.isLoaded}: ${tab.shown(id).join(', ')}`;
  });
  expect(view.text()).toBe('false: ');
  await pass(1_000);
  expect(view.text()).toBe('true: m1, m2, m3');
  world.server.say('bob', 'room', 'm4');
  await pass(500);
  expect(view.text()).toBe('true: m1, m2, m3, m4');
  await act(async () => tab.send('mine'));
  expect(view.text()).toContain('mine (sending)');
  await pass(500);
  expect(view.text()).toContain('mine (sent)');
  await view.show('hall');
  await pass(500);
  expect(view.text()).toBe('true: ');
  const reads = () => world.server.requests.filter(({ path }) => path.endsWith('/messages')).length;
  await unmountAll();
  const readBefore = reads();
  world.server.say('bob', 'room', 'm6');
  await pass(1_000);
  expect(reads()).toBe(readBefore);
});

test('the list and the status are shown as they change, and a component is not rendered for what it does not show', async () => {
  const tab = open();
  let renders = 0;
  const list = await mount(() => {
    const { items, unreadConversations } = useConversations(tab.chat);
    return `${items.map(({ id, unread }) => `${id} ${unread}`).join(', ')}; ${unreadConversations}`;
  });
  const status = await mount(() => {
    renders += 1;
    return useChatStatus(tab.chat).phase;
  });
  expect(status.text()).toBe('connecting');
  await pass(1_000);
  expect(list.text()).toContain('room 3');
  expect(status.text()).toBe('online');
  const before = renders;
  world.server.say('bob', 'room', 'm4');
  await pass(500);
  expect(list.text()).toContain('room 4');
  expect(renders).toBe(before);
  await act(async () => tab.chat.close());
  expect(status.text()).toBe('closed');
});
