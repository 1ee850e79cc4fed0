import type { ChatMark, Member } from '@hvideo/protocol';
import { type Marks, marksOf, noMarks } from './appearance.ts';
import type { Reads } from './reads.ts';

/** Larger groups tell no marks of single members. */
const maxMarkedMembers = 200;

/** Who is in a conversation, and how far each has got: what is read of it never takes back what was told. */
export class Members {
  readonly #id: string;
  readonly #accountId: string;
  readonly #reads: Reads;
  readonly #onChange: () => void;
  #all: readonly Member[] = [];
  #marks: Marks = noMarks;

  constructor(id: string, accountId: string, reads: Reads, onChange: () => void) {
    this.#id = id;
    this.#accountId = accountId;
    this.#reads = reads;
    this.#onChange = onChange;
  }

  get all(): readonly Member[] {
    return this.#all;
  }

  get marks(): Marks {
    return this.#marks;
  }

  /** A failure is left alone: the next connection or the next look tries again. */
  load(): void {
    this.#read().catch((error: unknown) => error);
  }

  mark(mark: ChatMark): void {
    const at = this.#all.findIndex(({ user }) => user.id === mark.accountId);
    const member = this.#all[at];
    if (member === undefined) return;
    const readSeq = Math.max(member.readSeq, mark.readSeq);
    const deliveredSeq = Math.max(member.deliveredSeq, mark.deliveredSeq);
    this.#put(this.#all.with(at, { ...member, readSeq, deliveredSeq }));
  }

  async #read(): Promise<void> {
    const members: Member[] = [];
    for (let cursor: string | null = null, pages = 0; pages < 2; pages += 1) {
      const page = await this.#reads.members(this.#id, cursor);
      members.push(...page.items);
      cursor = page.nextCursor;
      if (cursor === null) break;
      if (members.length >= maxMarkedMembers) return;
    }
    const known = new Map(this.#all.map((member) => [member.user.id, member]));
    this.#put(members.map((member) => newer(member, known.get(member.user.id))));
  }

  #put(members: readonly Member[]): void {
    this.#all = members;
    this.#marks = marksOf(members, this.#accountId);
    this.#onChange();
  }
}

function newer(read: Member, known: Member | undefined): Member {
  if (known === undefined) return read;
  const readSeq = Math.max(read.readSeq, known.readSeq);
  const deliveredSeq = Math.max(read.deliveredSeq, known.deliveredSeq);
  const isSame = known.readSeq === readSeq && known.deliveredSeq === deliveredSeq && known.role === read.role;
  return isSame ? known : { ...read, readSeq, deliveredSeq };
}
