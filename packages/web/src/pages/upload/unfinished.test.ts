import { expect, test } from 'bun:test';
import { unfinishedOf, uploadFingerprint } from './unfinished.ts';

const stored = (accountId: string, uploadUrl: string | null) => ({
  urlStorageKey: `tus::${uploadFingerprint({ name: 'a.mp4', size: 5, lastModified: 1 }, accountId)}::123`,
  uploadUrl,
  metadata: { filename: 'a.mp4' },
  size: 5,
  creationTime: '',
  parallelUploadUrls: null,
});

test('an upload shows for its own account only', () => {
  const all = [stored('7', '/api/v1/uploads/41'), stored('77', '/api/v1/uploads/42')];
  expect(unfinishedOf(all, '7')).toEqual([{ url: '/api/v1/uploads/41', name: 'a.mp4', size: 5 }]);
});

test('one that never reached the server is nothing to go on with', () => {
  expect(unfinishedOf([stored('7', null)], '7')).toEqual([]);
});
