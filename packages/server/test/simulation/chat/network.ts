import type { Chance, Machine, Scheduler } from './scheduler.ts';

/** One end of a connection: bytes arrive in order, or not at all after it broke. */
export interface End {
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export interface EndEvents {
  data(data: string | Uint8Array): void;
  /** 1006: it broke. */
  closed(code: number, reason: string): void;
}

type Frame = { readonly data: string | Uint8Array } | { readonly code: number; readonly reason: string };

/** How bad the network is just now. All of it is zero while a run is settling. */
export interface Weather {
  readonly typicalMs: number;
  /** A frame after which the connection breaks, once in so many; 0: never. */
  breaksOncePer: number;
  /** A message of the bus that is lost, or comes twice, once in so many. */
  losesOncePer: number;
  repeatsOncePer: number;
}

export class Network {
  readonly #scheduler: Scheduler;
  readonly #chance: Chance;
  readonly weather: Weather = { typicalMs: 20, breaksOncePer: 0, losesOncePer: 0, repeatsOncePer: 0 };
  /** Pairs of machines that do not hear each other. */
  readonly #cuts = new Set<string>();
  readonly #connections = new Set<Connection>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
    this.#chance = scheduler.random.fork();
  }

  cut(a: Machine, b: Machine): void {
    this.#cuts.add(pair(a, b));
  }

  heal(): void {
    this.#cuts.clear();
  }

  isCut(a: Machine, b: Machine): boolean {
    return this.#cuts.has(pair(a, b));
  }

  /** Ends at once for the machine that is gone, and a little later for those that were connected with it. */
  crashed(machine: Machine): void {
    for (const connection of this.#connections) connection.crashed(machine);
  }

  connect(client: Machine, server: Machine): Connection {
    const connection: Connection = new Connection(this.#scheduler, this, this.#chance, client, server, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    return connection;
  }

  /** Whether a request or its answer gets lost. */
  isLost(): boolean {
    const { losesOncePer } = this.weather;
    return losesOncePer > 0 && this.#chance.once(losesOncePer);
  }

  delayMs(): number {
    return this.#chance.delayMs(this.weather.typicalMs);
  }

  /** Calls `arrive` on the other machine later; or never, when the way is cut, or the message is lost. */
  deliver(from: Machine, to: Machine, arrive: () => void): void {
    this.#scheduler.at(this.delayMs(), to, () => {
      if (!this.isCut(from, to)) arrive();
    });
  }
}

/** Both directions of a socket. A break loses what is under way in one direction or in both, a suffix of it each. */
export class Connection {
  readonly client: Side;
  readonly server: Side;
  readonly #onEnd: () => void;

  constructor(
    scheduler: Scheduler,
    network: Network,
    chance: Chance,
    client: Machine,
    server: Machine,
    onEnd: () => void,
  ) {
    this.client = new Side(scheduler, network, chance, client, this);
    this.server = new Side(scheduler, network, chance, server, this);
    this.client.other = this.server;
    this.server.other = this.client;
    this.#onEnd = onEnd;
  }

  crashed(machine: Machine): void {
    const side = machine === this.client.machine ? this.client : this.server;
    if (machine !== side.machine) return;
    side.isOpen = false;
    side.other.breakSoon();
  }

  ended(): void {
    if (!this.client.isOpen && !this.server.isOpen) this.#onEnd();
  }
}

export class Side implements End {
  readonly machine: Machine;
  other!: Side;
  events: EndEvents | undefined;
  isOpen = true;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #chance: Chance;
  readonly #connection: Connection;
  /** What the other end has yet to get; its arrival is one after another. */
  #lastArrivalMs = 0;
  #isBroken = false;

  constructor(
    scheduler: Scheduler,
    network: Network,
    chance: Chance,
    machine: Machine,
    connection: Connection,
  ) {
    this.#scheduler = scheduler;
    this.#network = network;
    this.#chance = chance;
    this.machine = machine;
    this.#connection = connection;
  }

  send(data: string | Uint8Array): void {
    if (this.isOpen) this.#put({ data });
  }

  close(code = 1000, reason = ''): void {
    if (!this.isOpen) return;
    this.#put({ code, reason });
    this.isOpen = false;
    this.#scheduler.at(0, this.machine, () => this.events?.closed(code, reason));
    this.#connection.ended();
  }

  /** The end finds out some time later that nobody is there any more. */
  breakSoon(): void {
    if (!this.isOpen) return;
    this.#scheduler.at(this.#network.delayMs() * (this.#chance.once(4) ? 50 : 1), this.machine, () =>
      this.#broke(),
    );
  }

  #put(frame: Frame): void {
    const { breaksOncePer } = this.#network.weather;
    if (this.#isBroken) return;
    if (breaksOncePer > 0 && this.#chance.once(breaksOncePer)) {
      // This frame and all after it are lost; the other direction may go on for a while.
      this.#isBroken = true;
      this.breakSoon();
      this.other.breakSoon();
      return;
    }
    const { other } = this;
    const arrivesMs = Math.max(this.#lastArrivalMs, this.#scheduler.nowMs + this.#network.delayMs());
    this.#lastArrivalMs = arrivesMs;
    this.#scheduler.at(arrivesMs - this.#scheduler.nowMs, other.machine, () => this.#arrive(frame));
  }

  #arrive(frame: Frame): void {
    const { other } = this;
    if (!other.isOpen) return;
    if (this.#network.isCut(this.machine, other.machine)) {
      this.#isBroken = true;
      this.breakSoon();
      other.breakSoon();
      return;
    }
    if ('data' in frame) {
      other.events?.data(frame.data);
      return;
    }
    other.isOpen = false;
    other.events?.closed(frame.code, frame.reason);
    this.#connection.ended();
  }

  #broke(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events?.closed(1006, '');
    this.#connection.ended();
  }
}

const pair = (a: Machine, b: Machine) => [a.name, b.name].sort().join('|');
