import { CLOSE_CODES, negotiateSubprotocol, StompDecoder, type StompVersion } from '@hvideo/protocol/stomp';
import { addressKey } from '../../features/accounts/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { Metrics } from '../../kernel/metrics.ts';
import { type Random, randomToken } from '../../kernel/random.ts';
import { RateLimiter } from '../../kernel/rate-limit.ts';
import { TimingWheel } from '../../kernel/timing-wheel.ts';
import type { Viewer } from '../http/route.ts';
import type { UpgradeRules } from '../http/sockets.ts';
import { Connection } from './connection.ts';
import { upgradeOf } from './credentials.ts';
import type { ConnectionHost, GatewayChat, Login, Rpc } from './host.ts';
import { gatewayLimits as limits, openLimit, sendLimit, upgradeLimit } from './limits.ts';
import type { Credentials } from './log-in.ts';

export interface GatewayDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly chat: GatewayChat;
  /** Throws `token-invalid` or `suspended`. */
  readonly authenticate: (token: string) => Promise<Login>;
  /** Those of these logins that no longer stand. */
  readonly endedOf: (sessionIds: readonly string[]) => Promise<readonly string[]>;
  readonly rpc?: Rpc | undefined;
  readonly hasLimits: boolean;
  readonly version: string;
  /** What clients are told that this node is called. */
  readonly node: string;
  /** Calls back when everything of this turn has been done. */
  readonly afterTurn?: ((run: () => void) => void) | undefined;
}

const tickMs = 250;
const loginsAtOnce = 1_000;

/** All STOMP connections of this process. */
export class Gateway implements ConnectionHost, AsyncDisposable {
  readonly clock: Clock;
  readonly log: Logger;
  readonly wheel: TimingWheel;
  readonly chat: GatewayChat;
  readonly rpc: Rpc | undefined;
  readonly hasLimits: boolean;
  readonly server: string;
  readonly node: string;
  readonly counts = { frames: 0, messages: 0, sends: 0 };
  nowMs = 0;
  readonly #deps: GatewayDeps;
  readonly #connections = new Set<Connection>();
  readonly #byAccount = new Map<string, number>();
  readonly #byAddress = new Map<string, { all: number; unauthenticated: number }>();
  readonly #upgrades: RateLimiter;
  readonly #sends: RateLimiter;
  readonly #opens: RateLimiter;
  readonly #closes = new Map<number, number>();
  readonly #afterTurn: (run: () => void) => void;
  #dirty: { flush(): void }[] = [];
  /** One for each version serves all connections that wait for nothing. */
  readonly #decoders = new Map<StompVersion, StompDecoder>();
  #sessions = 0;
  readonly #prefix: string;
  #isLeaving = false;
  readonly #timer: Disposable;
  #checking: Iterator<Connection> | undefined;

  constructor(deps: GatewayDeps) {
    const { clock, random } = deps;
    this.#deps = deps;
    this.clock = clock;
    this.log = deps.log;
    this.chat = deps.chat;
    this.rpc = deps.rpc;
    this.hasLimits = deps.hasLimits;
    this.server = `hvideo/${deps.version}`;
    this.node = deps.node;
    this.wheel = new TimingWheel({ clock, tickMs, maxEntries: limits.maxConnections });
    this.#upgrades = new RateLimiter(clock, upgradeLimit);
    this.#sends = new RateLimiter(clock, sendLimit);
    this.#opens = new RateLimiter(clock, openLimit);
    this.#afterTurn = deps.afterTurn ?? ((run) => setImmediate(run));
    this.#prefix = randomToken(random, 6);
    this.#timer = clock.every(1_000, () => this.#checkSome());
    if (deps.metrics) this.#export(deps.metrics);
  }

  get size(): number {
    return this.#connections.size;
  }

  /** What answers to an upgrade: a connection, or why there is none. Throws `rate-limited`, `overloaded`, `shutting-down`. */
  upgrade(
    request: Request,
    address: string,
    rules: UpgradeRules,
  ): { connection: Connection; protocol: string | undefined } {
    if (this.#isLeaving) throw new AppError('shutting-down');
    const protocol = negotiateSubprotocol(request.headers.get('sec-websocket-protocol') ?? undefined);
    const upgrade = upgradeOf(request, rules);
    const isForeign = upgrade.kind === 'foreign';
    const connection = this.connect(address, isForeign ? undefined : this.#credentialsOf(upgrade.token));
    if (isForeign)
      connection.fail('cross-origin', 'this page is not one of ours', undefined, CLOSE_CODES.forbiddenOrigin);
    return { connection, protocol };
  }

  /** A connection from this address. Throws `rate-limited` or `overloaded` when there is no room for it. */
  connect(address: string, credentials: Credentials): Connection {
    if (this.#connections.size >= limits.maxConnections) throw new AppError('overloaded');
    const key = addressKey(address);
    const known = this.#byAddress.get(key) ?? { all: 0, unauthenticated: 0 };
    const isFull =
      known.all >= limits.maxConnectionsOfAddress ||
      known.unauthenticated >= limits.maxUnauthenticatedOfAddress;
    const wait = isFull ? 10 : this.#upgrades.take(key);
    if (this.hasLimits && wait > 0) throw new AppError('rate-limited', { retryAfterSeconds: wait });
    known.all += 1;
    known.unauthenticated += 1;
    this.#byAddress.set(key, known);
    const connection = new Connection(this, key, credentials);
    this.#connections.add(connection);
    return connection;
  }

  #credentialsOf(token: string | undefined): Credentials {
    if (token === undefined) return undefined;
    const login = this.login(token);
    // CONNECT meets it, and where it does not hold, may bring a better one. Who never sends one is told of nothing.
    login.catch(() => undefined);
    return login;
  }

  async login(token: string): Promise<Login | undefined> {
    try {
      return await this.#deps.authenticate(token);
    } catch (error) {
      return undefinedIfRefused(error);
    }
  }

  admit(connection: Connection, { accountId }: Viewer): boolean {
    const count = this.#byAccount.get(accountId) ?? 0;
    if (this.hasLimits && count >= limits.maxConnectionsOfAccount) return false;
    this.#byAccount.set(accountId, count + 1);
    const address = this.#byAddress.get(connection.address);
    if (address) address.unauthenticated -= 1;
    return true;
  }

  takeSend(accountId: string): number {
    return this.#sends.take(accountId);
  }

  takeOpen(accountId: string): number {
    return this.#opens.take(accountId);
  }

  takeDecoder(version: StompVersion): StompDecoder {
    const known = this.#decoders.get(version);
    this.#decoders.delete(version);
    return known ?? new StompDecoder({ from: 'client', version });
  }

  giveDecoder(decoder: StompDecoder): void {
    this.#decoders.set(decoder.version, decoder);
  }

  nextSession(): string {
    this.#sessions += 1;
    return `${this.#prefix}-${this.#sessions}`;
  }

  soon(connection: { flush(): void }): void {
    this.#dirty.push(connection);
    if (this.#dirty.length === 1) this.#afterTurn(() => this.#flush());
  }

  gone(connection: Connection, code: number): void {
    if (!this.#connections.delete(connection)) return;
    this.#closes.set(code, (this.#closes.get(code) ?? 0) + 1);
    const address = this.#byAddress.get(connection.address);
    if (address) {
      address.all -= 1;
      if (!connection.viewer) address.unauthenticated -= 1;
      if (address.all <= 0) this.#byAddress.delete(connection.address);
    }
    const accountId = connection.viewer?.accountId;
    if (accountId === undefined) return;
    const left = (this.#byAccount.get(accountId) ?? 1) - 1;
    if (left > 0) this.#byAccount.set(accountId, left);
    else this.#byAccount.delete(accountId);
  }

  /** These logins may have ended: whoever is connected with one that has is cut off. */
  async recheck(sessionIds: readonly string[]): Promise<void> {
    const asked = new Set(sessionIds);
    await this.#check([...this.#connections].filter(({ viewer }) => viewer && asked.has(viewer.sessionId)));
  }

  /** Asks everybody to go elsewhere, at random moments within `withinMs`, and refuses who comes. */
  async drain(withinMs: number): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    const { delivery } = this.chat;
    delivery.leave();
    const alternatives = delivery.alternatives();
    for (const connection of this.#connections) connection.move(withinMs, alternatives);
    const waiting = [...this.#connections];
    const steps = Math.max(1, Math.floor(withinMs / 50));
    for (let step = steps; step > 0 && this.#connections.size > 0; step -= 1) {
      const count = Math.ceil(waiting.length / step);
      for (let n = 0; n < count; n += 1) {
        const at = this.#deps.random.integer(Math.max(1, waiting.length));
        const [connection] = waiting.splice(at, 1);
        connection?.close(CLOSE_CODES.draining, 'draining');
      }
      await this.clock.sleep(withinMs / steps);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isLeaving = true;
    this.#timer[Symbol.dispose]();
    for (const connection of [...this.#connections]) connection.close(CLOSE_CODES.draining, 'draining');
    this.#flush();
    this.wheel[Symbol.dispose]();
  }

  #flush(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    this.nowMs = this.clock.monotonicMs();
    for (const connection of dirty) connection.flush();
  }

  /** Of all connections in turn, so that each is looked at once a minute. */
  async #checkSome(): Promise<void> {
    const count = Math.ceil((this.#connections.size * 1_000) / limits.checkLoginsEveryMs);
    const some: Connection[] = [];
    while (some.length < count) {
      this.#checking ??= this.#connections.values();
      const { done, value } = this.#checking.next();
      if (done) {
        this.#checking = undefined;
        break;
      }
      if (value.isOpen) some.push(value);
    }
    await this.#check(some);
  }

  async #check(connections: readonly Connection[]): Promise<void> {
    for (let from = 0; from < connections.length; from += loginsAtOnce) {
      const some = connections.slice(from, from + loginsAtOnce);
      const ids = some.flatMap(({ viewer }) => (viewer ? [viewer.sessionId] : []));
      try {
        const ended = new Set(await this.#deps.endedOf(ids));
        for (const connection of some)
          if (ended.has(connection.viewer?.sessionId ?? ''))
            connection.fail('login-ended', 'the login has ended', undefined, CLOSE_CODES.loginEnded);
      } catch (error) {
        // Asked again in a minute; the token itself ends before long.
        this.log.debug({ err: error }, 'logins were not looked up');
      }
    }
  }

  #export(metrics: Metrics): void {
    metrics.gauge('chat_connections', 'STOMP connections', () => this.#connections.size);
    metrics.gauge('chat_connections_slow', 'Connections whose socket takes no more at the moment', () => {
      let slow = 0;
      for (const { isSlow } of this.#connections) if (isSlow) slow += 1;
      return slow;
    });
    metrics.counter('chat_frames_total', 'STOMP frames received', [], () => [[{}, this.counts.frames]]);
    metrics.counter('chat_sends_total', 'Messages that clients wanted to say', [], () => [
      [{}, this.counts.sends],
    ]);
    metrics.counter('chat_closes_total', 'Connections that ended, by close code', ['code'], () =>
      [...this.#closes].map(([code, count]) => [{ code: String(code) }, count] as const),
    );
  }
}

/** A token that does not hold is no login; anything else is a fault that is told. */
function undefinedIfRefused(error: unknown): undefined {
  if (error instanceof AppError && (error.status === 401 || error.status === 403)) return undefined;
  throw error;
}
