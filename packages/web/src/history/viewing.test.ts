import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { resumeAt, Viewing } from './viewing.ts';

/** As `timeupdate` does: about four times a second. */
function play(viewing: Viewing, fromMs: number, toMs: number): void {
  for (let at = fromMs; at < toMs; at += 250) viewing.playedTo(at);
  viewing.playedTo(toMs);
}

test('scrolling past tells nothing', () => {
  const viewing = new Viewing(60_000);
  play(viewing, 0, 2_500);
  expect([viewing.due(), viewing.last()]).toEqual([undefined, undefined]);
});

test('tells at first after three seconds, then every twelve, with all of it each time', () => {
  const viewing = new Viewing(600_000);
  play(viewing, 0, 3_000);
  expect(viewing.due()).toEqual({ watchedMs: 3_000, positionMs: 3_000, completed: false });
  play(viewing, 3_000, 14_000);
  expect(viewing.due()).toBeUndefined();
  play(viewing, 14_000, 15_000);
  expect(viewing.due()).toEqual({ watchedMs: 15_000, positionMs: 15_000, completed: false });
});

test('what was skipped was not watched, and a pause without news is not told twice', () => {
  const viewing = new Viewing(100_000);
  play(viewing, 0, 4_000);
  viewing.wentTo(50_000);
  play(viewing, 50_000, 51_000);
  expect(viewing.last()).toEqual({ watchedMs: 5_000, positionMs: 51_000, completed: false });
  expect(viewing.last()).toBeUndefined();
});

test('a clip that starts over was seen to its end', () => {
  const viewing = new Viewing(8_000);
  play(viewing, 0, 7_500);
  viewing.playedTo(200);
  expect(viewing.last()).toEqual({ watchedMs: 8_200, positionMs: 200, completed: true });
});

test('no sequence of positions makes more watched time than real steps can', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600_000 }),
      fc.array(fc.integer({ min: 0, max: 600_000 }), { maxLength: 50 }),
      (durationMs, positions) => {
        const viewing = new Viewing(durationMs);
        for (const at of positions) viewing.playedTo(at);
        const watchedMs = viewing.last()?.watchedMs ?? 0;
        expect(watchedMs).toBeLessThanOrEqual(Math.max(0, positions.length - 1) * 2_000);
        expect(watchedMs).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});

test('goes on where it was left, except near the edges and after the end', () => {
  expect(resumeAt({ positionMs: 83_000, completed: false }, 300_000)).toBe(83_000);
  expect(resumeAt({ positionMs: 2_000, completed: false }, 300_000)).toBeUndefined();
  expect(resumeAt({ positionMs: 290_000, completed: false }, 300_000)).toBeUndefined();
  expect(resumeAt({ positionMs: 83_000, completed: true }, 300_000)).toBeUndefined();
  expect(resumeAt({ positionMs: 4_000, completed: false }, 6_000)).toBeUndefined();
});
