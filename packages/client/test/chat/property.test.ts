import { expect, test } from 'bun:test';
import { memoryChatStore } from '../../src/chat/store.ts';
import { Place, type Tab, World } from './world.ts';

const seeds = Number(process.env['CHAT_SDK_SEEDS'] ?? 60);

/** Two people, two browsers of one of them, tabs that come and go, and a network that does what it likes. */
class Run {
  readonly world: World;
  readonly places: Place[] = [];
  readonly tabs: Tab[] = [];
  /** Texts that were written in a storage that still exists, or were said to be sent. */
  readonly owed = new Set<string>();
  readonly written: string[] = [];
  readonly #placeOf = new Map<Tab, Place>();

  constructor(seed: number) {
    this.world = new World(seed);
    for (const room of ['room', 'hall']) this.world.server.store.room(room, ['ann', 'bob']);
    for (let i = 0; i < 3; i += 1) this.places.push(new Place());
    for (let i = 0; i < 3; i += 1) this.open(i);
  }

  open(index: number): void {
    const place = this.places[index];
    if (place === undefined) return;
    const login = index === 2 ? { account: 'bob', session: 'b1' } : { account: 'ann', session: `a${index}` };
    // With few tries, what is given up in doubt and sent again belongs to each run.
    const tab = this.world.open(login, place, { limits: { maxSendTries: 2 } });
    this.tabs.push(tab);
    this.#placeOf.set(tab, place);
  }

  async step(): Promise<void> {
    const { timeline, server } = this.world;
    const tab = this.tabs[timeline.between(0, this.tabs.length - 1)];
    const choice = timeline.random();
    if (tab === undefined) this.open(timeline.between(0, 2));
    else if (choice < 0.62) this.#write(tab);
    else if (choice < 0.72) server.cut((socket) => socket.login === tab.login);
    else if (choice < 0.76) server.overloaded += timeline.between(1, 4);
    else if (choice < 0.78) this.#retry(tab);
    else if (choice < 0.84) await this.#crash(tab);
    else if (choice < 0.9 && this.tabs.length < 6) this.open(timeline.between(0, 2));
    else if (choice < 0.92) tab.login.blocksSockets = !tab.login.blocksSockets;
    else if (choice < 0.94) tab.login.blocksRequests = !tab.login.blocksRequests;
    else if (choice < 0.95) this.#clear(tab);
    else if (choice < 0.97)
      server.dropsDelivery = timeline.random() < 0.5 ? () => timeline.random() < 0.1 : () => false;
    else server.lostReceipts = timeline.random() < 0.5 ? 0.3 : 0;
  }

  /** Peace, until everything is sent and has arrived. */
  async calm(): Promise<void> {
    const { server, timeline } = this.world;
    server.lostReceipts = 0;
    server.overloaded = 0;
    server.dropsDelivery = () => false;
    for (const tab of this.tabs) {
      tab.login.blocksSockets = false;
      tab.login.blocksRequests = false;
    }
    // Each browser has one more tab, so that what a lost one left behind is taken up.
    for (const index of [0, 1, 2, 0, 1, 2, 0, 1, 2]) this.open(index);
    const isQuiet = () =>
      this.tabs.every(
        (tab) => this.#retry(tab) === 0 && tab.status.pending === 0 && tab.status.phase === 'online',
      );
    await timeline.until(isQuiet, 600_000);
    // A delivery that was lost last of all is noticed when it comes again, on the next connection.
    server.cut();
    await timeline.pass(90_000);
  }

  #write(tab: Tab): void {
    const { timeline } = this.world;
    const room = timeline.random() < 0.8 ? 'room' : 'hall';
    for (let i = timeline.between(1, 4); i > 0; i -= 1) {
      const words = `m${this.written.length}`;
      this.written.push(words);
      this.owed.add(words);
      tab.send(words, room);
    }
  }

  #retry(tab: Tab): number {
    return tab.retryAll('room') + tab.retryAll('hall');
  }

  async #crash(tab: Tab): Promise<void> {
    const place = this.#placeOf.get(tab);
    tab.crash(this.world);
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    // What had not come to the storage is lost with the tab, as it would be in life; the rest is owed.
    const kept = JSON.stringify(await place?.store.read(''));
    this.#forgive(tab, (words) => !kept.includes(`\\"${words}\\"`));
  }

  /** Tabs that are gone owe nothing of what they had in memory only. */
  #forgive(tab: Tab, isLost: (words: string) => boolean): void {
    const sent = new Set(tab.sent.map(({ text }) => text));
    for (const words of [...tab.unsent('room'), ...tab.unsent('hall')]) {
      if (!sent.has(words) && isLost(words)) this.owed.delete(words);
    }
  }

  /** Somebody empties the storage of a browser; its tabs go on with what they have in memory. */
  #clear(tab: Tab): void {
    const place = this.#placeOf.get(tab);
    if (place === undefined) return;
    const gone = this.tabs.filter((other) => this.#placeOf.get(other) === place);
    for (const other of gone) {
      this.#forgive(other, () => true);
      other.crash(this.world);
      this.tabs.splice(this.tabs.indexOf(other), 1);
    }
    const index = this.places.indexOf(place);
    this.places[index] = new Place(memoryChatStore());
    for (const words of this.written) {
      if (
        !this.#isStored(words) &&
        !this.tabs.some(
          (other) => other.unsent('room').includes(words) || other.unsent('hall').includes(words),
        )
      ) {
        this.owed.delete(words);
      }
    }
    this.open(index);
  }

  #isStored(words: string): boolean {
    return this.stored().some(({ text }) => text === words);
  }

  stored(): { room: string; seq: number; text: string }[] {
    return [...this.world.server.store.rooms.values()].flatMap(({ id, messages }) =>
      messages.map(({ seq, content }) => ({
        room: id,
        seq,
        text: content.type === 'text' ? content.text : '',
      })),
    );
  }

  check(): void {
    const stored = this.stored();
    const texts = stored.map(({ text }) => text);
    expect(texts.filter((text, at) => texts.indexOf(text) !== at)).toEqual([]);
    expect([...this.owed].filter((text) => !texts.includes(text))).toEqual([]);
    for (const tab of this.tabs) {
      for (const { room, seq, text } of tab.sent) expect(stored).toContainEqual({ room, seq, text });
      for (const [room, seqs] of tab.got) {
        expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
        this.#checkComplete(tab, room, seqs);
      }
    }
    expect(this.world.errors).toEqual([]);
  }

  /** From the first message that it got, a tab has every one but its own. */
  #checkComplete(tab: Tab, room: string, seqs: readonly number[]): void {
    const own = new Set(tab.sent.filter((sent) => sent.room === room).map(({ seq }) => seq));
    const device = tab.status.deviceId;
    const messages = this.world.server.store.rooms.get(room)?.messages ?? [];
    const first = seqs[0] ?? Number.POSITIVE_INFINITY;
    const missing = messages.filter(
      ({ seq, senderDevice }) =>
        seq >= first && senderDevice !== device && !own.has(seq) && !seqs.includes(seq),
    );
    expect(missing.map(({ seq }) => seq)).toEqual([]);
  }
}

test(`nothing is lost, doubled or out of order in ${seeds} worlds`, async () => {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const run = new Run(seed);
    try {
      for (let step = 0; step < 60; step += 1) {
        await run.step();
        await run.world.timeline.pass(
          run.world.timeline.between(0, 1) * run.world.timeline.between(1, 3_000),
        );
      }
      await run.calm();
      run.check();
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    } finally {
      await run.world.end();
    }
  }
}, 300_000);
