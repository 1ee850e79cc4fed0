import { expect, test } from 'bun:test';
import { encode } from 'uqr';
import { qrPath } from './qr-path.ts';

test('draws every dark module except those under the finders and the mark', () => {
  const { data, size } = encode('https://video.example/v/123456789012345678', { ecc: 'Q', border: 0 });
  const subpaths = qrPath(data).match(/M/g)?.length ?? 0;
  const dark = data.flat().filter(Boolean).length;
  // A finder has 33 dark modules, drawn as three squares.
  const drawn = subpaths - 9;
  const covered = dark - 3 * 33 - drawn;
  expect(covered).toBeGreaterThan(0);
  expect(covered / size ** 2).toBeLessThan(0.06);
});
