import { expect, test } from 'bun:test';
import { changesOf } from './changes.ts';
import { parseTags } from './tags.ts';

const video = {
  title: 'A walk',
  description: 'one\ntwo',
  tags: ['sea', '海'],
  visibility: 'public',
  publishAt: '2030-01-01T10:00:00Z',
} as const;
const known = { ...video, tags: [...video.tags] };
const same = { ...video, coverTimeMs: undefined, publishAt: undefined };

test('an untouched form changes nothing, whatever the browser does to line ends and times', () => {
  expect(changesOf(known, same)).toEqual({});
  expect(changesOf(known, { ...same, description: 'one\r\ntwo ', title: ' A walk ' })).toEqual({});
  expect(changesOf(known, { ...same, publishAt: '2030-01-01T10:00:00.000Z' })).toEqual({});
});

test('each changed field is sent, alone', () => {
  expect(changesOf(known, { ...same, title: 'B' })).toEqual({ title: 'B' });
  expect(changesOf(known, { ...same, description: '' })).toEqual({ description: '' });
  expect(changesOf(known, { ...same, tags: ['sea'] })).toEqual({ tags: ['sea'] });
  expect(changesOf(known, { ...same, visibility: 'private' })).toEqual({ visibility: 'private' });
  expect(changesOf(known, { ...same, coverTimeMs: 0 })).toEqual({ coverTimeMs: 0 });
});

test('a schedule can be moved, or ended by null', () => {
  const later = '2031-01-01T10:00:00.000Z';
  expect(changesOf(known, { ...same, publishAt: later })).toEqual({ publishAt: later });
  expect(changesOf(known, { ...same, publishAt: null })).toEqual({ publishAt: null });
});

test('tags are read between spaces, commas of both scripts and signs', () => {
  expect(parseTags(' #sea，海、 light,#夜晚#风 ')).toEqual(['sea', '海', 'light', '夜晚', '风']);
  expect(parseTags('  ')).toEqual([]);
});
