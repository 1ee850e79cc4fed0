import type { Clock } from '../../../kernel/clock.ts';
import type { Checkpoints } from './types.ts';

interface Noted {
  readonly conversationId: string;
  seq: number;
  atMs: number;
}

const keptForMs = 10_000;
const maxDevices = 20_000;

/**
 * What devices of this node have acknowledged in the last seconds. It is on its way to the store; a device that comes
 * back before it is there is not given it again.
 */
export class Lately implements Checkpoints {
  readonly #clock: Clock;
  readonly #checkpoints: Checkpoints;
  /** In the order of the first note. */
  readonly #devices = new Map<string, Noted[]>();

  constructor(clock: Clock, checkpoints: Checkpoints) {
    this.#clock = clock;
    this.#checkpoints = checkpoints;
  }

  note(
    device: { readonly id: string; readonly accountId: string },
    conversationId: string,
    seq: number,
  ): void {
    this.#checkpoints.note(device, conversationId, seq);
    const atMs = this.#clock.monotonicMs();
    let noted = this.#devices.get(device.id);
    if (!noted) {
      noted = [];
      this.#devices.set(device.id, noted);
      if (this.#devices.size > maxDevices) this.#forgetOldest();
    }
    for (const each of noted) {
      if (each.conversationId !== conversationId) continue;
      if (each.seq < seq) each.seq = seq;
      each.atMs = atMs;
      return;
    }
    // Of few conversations at a time, or it costs more than it saves.
    if (noted.length >= 32) noted.shift();
    noted.push({ conversationId, seq, atMs });
  }

  /** At least so far, as is known here. */
  cursorOf(deviceId: string, conversationId: string): number {
    for (const each of this.#devices.get(deviceId) ?? [])
      if (each.conversationId === conversationId) return each.seq;
    return 0;
  }

  clean(): void {
    const beforeMs = this.#clock.monotonicMs() - keptForMs;
    for (const [deviceId, noted] of this.#devices) {
      if (noted.every(({ atMs }) => atMs < beforeMs)) this.#devices.delete(deviceId);
    }
  }

  #forgetOldest(): void {
    const oldest = this.#devices.keys().next();
    if (!oldest.done) this.#devices.delete(oldest.value);
  }
}
