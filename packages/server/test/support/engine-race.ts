import type { FollowingPage } from '@hvideo/protocol';
import type { Change, Effect, History, Work } from './engine-history.ts';
import type { Mishap } from './engine-steps.ts';
import { type EngineWorld, namesOf } from './engine-world.ts';
import type { FeedModel } from './feed-model.ts';

export type Turn =
  | { readonly begin: Change | Work | Look }
  | { readonly step: number }
  | { readonly through: number }
  | { readonly mishap: Mishap };

export interface Look {
  readonly kind: 'look';
  readonly reader: number;
  readonly limit: number;
}

/** When something began and when it was answered, by a clock that counts what happens. */
interface Span {
  readonly began: number;
  ended: number;
}

interface ChangeSpan extends Span {
  readonly touches: string;
  effect: Effect;
}

interface ReadSpan extends Span {
  readonly reader: number;
}

const isOver = (one: Span, other: Span) => one.ended < other.began;
/** More changes beside one read would make too many ways in which they may have been seen. */
const maxBeside = 7;

/**
 * Changes, work and reads that go on at the same time, one step of one of them after another. Of each page it is checked that
 * it holds what every state says that it may have seen, and nothing that none of them says: what was acknowledged before
 * the read is in all of these states, what began after it in none, and the rest in some.
 */
export class Race {
  readonly #world: EngineWorld;
  readonly #history: History;
  readonly #base: FeedModel;
  readonly #changes: ChangeSpan[] = [];
  readonly #reads = new Set<ReadSpan>();
  readonly #busy = new Set<string>();
  readonly #checks: (() => void)[] = [];
  readonly #outcomes: Promise<unknown>[] = [];
  #time = 0;

  constructor(world: EngineWorld, history: History) {
    this.#world = world;
    this.#history = history;
    this.#base = history.model.clone();
  }

  async run(turns: readonly Turn[]): Promise<void> {
    const { gates } = this.#world;
    gates.trace.length = 0;
    for (const [at, turn] of turns.entries()) {
      if ('begin' in turn) await this.#begin(turn.begin, at);
      else if ('step' in turn) await gates.step(turn.step);
      else if ('through' in turn) await gates.through(turn.through);
      else await this.#suffer(turn.mishap, at);
    }
    await gates.drain();
    await Promise.all(this.#outcomes);
    for (const check of this.#checks) check();
  }

  async #begin(task: Change | Work | Look, at: number): Promise<void> {
    if (task.kind === 'look') return this.#look(task, at);
    if ('reader' in task || task.kind === 'share')
      return this.#run(`work ${task.kind}`, () => this.#history.work(task, at));
    if (!('worker' in task)) return this.#change(task, at);
    const lane = `${task.worker} ${'stage' in task ? task.stage : 'remove'}`;
    if (this.#busy.has(lane)) return;
    this.#busy.add(lane);
    await this.#run(`work of ${lane}`, () =>
      this.#history.work(task, at).finally(() => this.#busy.delete(lane)),
    );
  }

  async #change(change: Change, at: number): Promise<void> {
    const begun = this.#history.prepare(change, at);
    if (!begun) return;
    const isTouched = this.#changes.some(
      ({ ended, touches }) => ended === Number.POSITIVE_INFINITY && touches === begun.touches,
    );
    const isCrowded = [...this.#reads].some(
      (read) => this.#changes.filter((other) => !isOver(other, read)).length >= maxBeside,
    );
    if (isCrowded || (isTouched && begun.touches !== 'nothing')) return;
    const span: ChangeSpan = {
      began: this.#time++,
      ended: Number.POSITIVE_INFINITY,
      touches: begun.touches,
      effect: () => {},
    };
    this.#changes.push(span);
    await this.#run(`${change.kind} ${begun.touches}`, async () => {
      span.effect = await begun.run();
      span.effect(this.#history.model);
      span.ended = this.#time++;
    });
  }

  async #look({ reader, limit }: Look, at: number): Promise<void> {
    const { nodes, here } = this.#world;
    const { timeline } = [...nodes, here][at % 3]!;
    const id = this.#history.people[reader]!;
    await this.#run(`look ${reader}`, async () => {
      let cursor: string | undefined;
      let before: bigint | undefined;
      do {
        const read: ReadSpan = { reader, began: this.#time++, ended: Number.POSITIVE_INFINITY };
        this.#reads.add(read);
        const page = await timeline.following(id, { cursor, limit }).finally(() => this.#reads.delete(read));
        read.ended = this.#time++;
        const top = before;
        this.#checks.push(() => this.#check(read, page, top));
        cursor = page.nextCursor ?? undefined;
        before = keyOf(namesOf(page).at(-1) ?? '0');
      } while (cursor !== undefined);
    });
  }

  async #suffer({ kind }: Mishap, at: number): Promise<void> {
    const { gates, loseAnnouncements, loseStore, pass, refuse } = this.#world;
    if (kind === 'refuse' || kind === 'refuseHeard') refuse(kind);
    if (kind === 'loseStore') await loseStore();
    if (kind === 'loseAnnouncements') await loseAnnouncements();
    // No page takes as long as what passes here.
    if (kind === 'pass' && this.#reads.size === 0) await pass();
    if (kind !== 'replaceWorker') return;
    // Whatever it was at, and one flip or rebuild beside it.
    while (gates.kill(`work of ${at % 2}`));
    for (const lane of [...this.#busy]) if (lane.startsWith(`${at % 2}`)) this.#busy.delete(lane);
    this.#history.replaceWorker(at % 2);
    for (const kind of ['promote', 'demote', 'rebuild']) if (gates.kill(`work ${kind}`)) return;
  }

  async #run(name: string, work: () => Promise<void>): Promise<void> {
    const { outcome } = await this.#world.gates.begin(name, work);
    this.#outcomes.push(outcome);
  }

  #check(read: ReadSpan, page: FollowingPage, before: bigint | undefined): void {
    const names = namesOf(page);
    const keys = names.map(keyOf);
    const lowest = page.nextCursor === null ? 0n : keys.at(-1)!;
    const isIn = (name: string) => (before === undefined || keyOf(name) < before) && keyOf(name) >= lowest;
    const states = [...this.#statesOf(read)].map(
      (model) => new Set(model.following(read.reader).map(({ key, id }) => `${key} ${id}`)),
    );
    const [first] = states;
    const held = [...first!].filter((name) => isIn(name) && states.every((state) => state.has(name)));
    const lacking = held.filter((name) => !names.includes(name));
    const tooMuch = names.filter((name) => !states.some((state) => state.has(name)));
    const isOrdered = keys.every((key, at) =>
      at === 0 ? before === undefined || key < before : key < keys[at - 1]!,
    );
    if (lacking.length === 0 && tooMuch.length === 0 && isOrdered) return;
    const found = `lacks [${lacking}], has [${tooMuch}] too much`;
    throw new Error(`a page of ${read.reader} ${found}:\n${names}\n${this.#world.gates.trace.join('\n')}`);
  }

  /** In which changes under way are there or not; never one without those that were answered before it began. */
  *#statesOf(read: ReadSpan): Generator<FeedModel> {
    const beside: ChangeSpan[] = [];
    const model = this.#base.clone();
    for (const each of this.#changes) {
      if (isOver(each, read)) each.effect(model);
      else if (each.began < read.ended) beside.push(each);
    }
    yield* statesWith(model, beside);
  }
}

function* statesWith(model: FeedModel, beside: readonly ChangeSpan[]): Generator<FeedModel> {
  const [next, ...rest] = beside;
  if (!next) {
    yield model;
    return;
  }
  const after = model.clone();
  next.effect(after);
  yield* statesWith(after, rest);
  yield* statesWith(
    model,
    rest.filter((other) => !isOver(next, other)),
  );
}

const keyOf = (name: string) => BigInt(name.split(' ')[0]!);
