import type { Clock } from '../../../kernel/clock.ts';
import type { Ids } from '../../../kernel/ids.ts';
import { type Device, type DeviceStore, FORGET_AFTER_MS } from '../../../ports/device-store/port.ts';

/** As proven by an access token. */
export interface Login {
  readonly accountId: string;
  readonly sessionId: string;
}

interface Known {
  readonly device: Device;
  readonly untilMs: number;
}

const knownForMs = 300_000;
const maxKnown = 50_000;
const forgetAtOnce = 500;

/**
 * Devices: a login, and an instance under it that names itself. Which device a request comes from is remembered for some
 * minutes, so that hardly any asks the store.
 */
export class Devices {
  readonly #store: DeviceStore;
  readonly #clock: Clock;
  readonly #ids: Ids;
  /** In the order in which they were asked for. */
  readonly #known = new Map<string, Known>();

  constructor(deps: { readonly store: DeviceStore; readonly clock: Clock; readonly ids: Ids }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#ids = deps.ids;
  }

  /**
   * Finds the device, or makes one; it was seen now. Not remembered: a connection keeps it itself.
   * Errors: `token-invalid` when the login has ended.
   */
  register({ accountId, sessionId }: Login, instance: string): Promise<Device> {
    const nowMs = this.#clock.nowMs();
    // It may have been forgotten meanwhile, and be another one.
    this.#known.delete(`${sessionId}:${instance}`);
    return this.#store.register({ id: this.#ids.next(), accountId, sessionId, instance, nowMs });
  }

  /** As `register`, from memory if it was asked for lately. */
  async known(login: Login, instance: string): Promise<Device> {
    const key = `${login.sessionId}:${instance}`;
    const known = this.#known.get(key);
    if (known && this.#clock.monotonicMs() < known.untilMs) return known.device;
    const device = await this.register(login, instance);
    this.#known.delete(key);
    const untilMs = this.#clock.monotonicMs() + knownForMs;
    this.#known.set(key, { device: { ...device, isNew: false }, untilMs });
    if (this.#known.size > maxKnown) this.#forgetOldest();
    return device;
  }

  /** Forgets who was not seen for 30 days, with cursors and offline box; answers how many. */
  async expire(signal?: AbortSignal): Promise<number> {
    const seenBeforeMs = this.#clock.nowMs() - FORGET_AFTER_MS;
    let forgotten = 0;
    for (;;) {
      signal?.throwIfAborted();
      const gone = await this.#store.forget(seenBeforeMs, forgetAtOnce);
      forgotten += gone;
      if (gone < forgetAtOnce) return forgotten;
    }
  }

  #forgetOldest(): void {
    const oldest = this.#known.keys().next();
    if (!oldest.done) this.#known.delete(oldest.value);
  }
}
