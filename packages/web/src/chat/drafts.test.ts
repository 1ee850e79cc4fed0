import { expect, test } from 'bun:test';
import { drafts, forgetDrafts, openDrafts, parseDrafts, saveDraft } from './drafts.ts';

test('drafts are kept by account, and an empty one is none', () => {
  openDrafts('1');
  saveDraft('7', { text: 'half a sen' });
  saveDraft('8', { text: '', quoteSeq: 3 });
  saveDraft('9', { text: '  ' });
  expect([...drafts.get().keys()]).toEqual(['7', '8']);
  openDrafts('2');
  expect(drafts.get().size).toBe(0);
  openDrafts('1');
  expect(drafts.get().get('8')).toEqual({ text: '', quoteSeq: 3 });
});

test('nothing stays of who leaves, and what is written afterwards is nobody’s', () => {
  openDrafts('5');
  saveDraft('7', { text: 'secret' });
  forgetDrafts('5');
  saveDraft('8', { text: 'of a page that is going' });
  openDrafts('5');
  expect(drafts.get().size).toBe(0);
});

test('no more than fifty are kept: the newest', () => {
  openDrafts('3');
  for (let at = 1; at <= 60; at += 1) saveDraft(`${at}`, { text: 'x' });
  expect(drafts.get().size).toBe(50);
  expect(drafts.get().has('10')).toBe(false);
  expect(drafts.get().has('60')).toBe(true);
});

test.each([null, 'x', '{}', '[1]', '[["1",{}]]', '[["1",null]]'])(
  'what cannot be read is nothing: %s',
  (text) => {
    expect(parseDrafts(text).size).toBe(0);
  },
);
