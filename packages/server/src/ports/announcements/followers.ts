import { type Announcement, type Follower, MAX_ANNOUNCED, MAX_TEXT } from './port.ts';

const kinds = /^[A-Za-z-]{1,20}$/;

/** Who follows which kind on one node: what every adapter of `Announcements` does with its records. */
export class Followers {
  readonly #byKind = new Map<string, Follower>();
  #isClosed = false;

  add(kind: string, follower: Follower): void {
    if (this.#isClosed) throw new Error(`${kind} is followed after the first catchUp`);
    if (!kinds.test(kind)) throw new Error(`not a kind: ${kind}`);
    if (this.#byKind.has(kind)) throw new Error(`${kind} is followed already`);
    this.#byKind.set(kind, follower);
  }

  /** Rejects when one of them does, and not before all are done: none is reset twice at a time. */
  async reset(): Promise<void> {
    this.#isClosed = true;
    const resets = [...this.#byKind.values()].map((follower) => follower.reset());
    const failed = (await Promise.allSettled(resets)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** Neighbours of one kind are handed over together, so that the order holds over all kinds. */
  hear(records: readonly Announcement[]): void {
    for (let start = 0; start < records.length; ) {
      const kind = records[start]!.kind;
      let end = start + 1;
      while (records[end]?.kind === kind) end += 1;
      this.#byKind.get(kind)?.hear(records.slice(start, end).map(({ text }) => text));
      start = end;
    }
  }
}

/** Whoever announces what is none has a bug. */
export function assertAnnouncements(records: readonly Announcement[]): void {
  if (records.length > MAX_ANNOUNCED) throw new Error(`${records.length} announcements at once`);
  for (const { kind, text } of records) {
    if (!kinds.test(kind)) throw new Error(`not a kind: ${kind}`);
    if (text.length > MAX_TEXT) throw new Error(`an announcement of ${text.length} characters`);
  }
}

/** `work`, or the signal's reason as soon as it is aborted (it is not yet): the work goes on for the others who wait for it. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    const stay = () => signal.removeEventListener('abort', leave);
    work.then(
      (value) => {
        stay();
        resolve(value);
      },
      (error: unknown) => {
        stay();
        reject(error);
      },
    );
  });
}
