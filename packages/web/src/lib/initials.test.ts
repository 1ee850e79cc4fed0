import { expect, test } from 'bun:test';
import { avatarHue, initials } from './initials.ts';

test('initials fit names of different scripts', () => {
  expect(initials('Marco Bellini')).toBe('MB');
  expect(initials('noor')).toBe('N');
  expect(initials('林悦')).toBe('悦');
  expect(initials('王小明')).toBe('明');
  expect(initials('光影实验室')).toBe('光');
  expect(initials('👩‍🚀 Ada')).toBe('👩‍🚀A');
  expect(initials('   ')).toBe('?');
});

test('the hue belongs to the id', () => {
  expect(avatarHue('101')).toBe(avatarHue('101'));
  const hues = new Set(Array.from({ length: 100 }, (_, id) => avatarHue(String(id + 7_000_000))));
  expect(hues.size).toBeGreaterThan(50);
});
