import { expect, test } from 'bun:test';
import { SpeedMeter } from './speed-meter.ts';

test('the speed is known after two seconds, and follows', () => {
  const meter = new SpeedMeter();
  expect(meter.measure(0, 0)).toBeUndefined();
  expect(meter.measure(500, 1000)).toBeUndefined();
  expect(meter.measure(3000, 2000)).toBe(1500);
  expect(meter.measure(3100, 2500)).toBe(1500);
  expect(meter.measure(4000, 4000)).toBe(500);
});

test('going back to an earlier point, as after a lost connection, is not a negative speed', () => {
  const meter = new SpeedMeter();
  meter.measure(10_000, 0);
  expect(meter.measure(4_000, 3_000)).toBeUndefined();
  expect(meter.measure(6_000, 5_000)).toBe(1000);
});

test('a pause is not part of the speed', () => {
  const meter = new SpeedMeter();
  meter.measure(0, 0);
  meter.measure(4000, 2000);
  meter.reset();
  expect(meter.measure(4000, 60_000)).toBeUndefined();
});
