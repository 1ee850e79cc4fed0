import type { Clock } from '../../../kernel/clock.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { Ids } from '../../../kernel/ids.ts';
import { type RateLimit, RateLimiter } from '../../../kernel/rate-limit.ts';
import { type Device, type DeviceStore, FORGET_AFTER_MS } from '../../../ports/device-store/port.ts';

/** As proven by an access token. */
export interface Login {
  readonly accountId: string;
  readonly sessionId: string;
}

export interface DevicesDeps {
  readonly store: DeviceStore;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly hasLimits: boolean;
}

interface Known {
  readonly device: Device;
  readonly untilMs: number;
}

const knownForMs = 300_000;
const maxKnown = 50_000;
const forgetAtOnce = 500;
/** Of one account: a new device costs a row for each of its conversations, and a client may name as many as it likes. */
const registerLimit: RateLimit = { burst: 100, perSecond: 1 };

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
  /** Requests of one device that come at once ask once. */
  readonly #asking = new Map<string, Promise<Device>>();

  readonly #limiter: RateLimiter | undefined;

  constructor(deps: DevicesDeps) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#ids = deps.ids;
    this.#limiter = deps.hasLimits ? new RateLimiter(deps.clock, registerLimit) : undefined;
  }

  /**
   * Finds the device, or makes one; it was seen now. Not remembered: a connection keeps it itself.
   * Errors: `token-invalid` when the login has ended; `rate-limited`.
   */
  async register({ accountId, sessionId }: Login, instance: string): Promise<Device> {
    const wait = this.#limiter?.take(accountId) ?? 0;
    if (wait > 0) throw new AppError('rate-limited', { retryAfterSeconds: wait });
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
    return this.#asking.get(key) ?? this.#ask(key, login, instance);
  }

  /** The store has it no more: whoever asks next is another one. */
  forget({ sessionId }: Login, instance: string): void {
    this.#known.delete(`${sessionId}:${instance}`);
  }

  #ask(key: string, login: Login, instance: string): Promise<Device> {
    const asking = this.#remember(key, login, instance).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #remember(key: string, login: Login, instance: string): Promise<Device> {
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
