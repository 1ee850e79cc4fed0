import type { ChatMessage, Member } from '@hvideo/protocol';
import type { Outgoing } from './outgoing.ts';
import type { SendState, ViewMessage } from './types.ts';

/** How far all others have got. */
export interface Marks {
  readonly deliveredSeq: number;
  readonly readSeq: number;
}

export const noMarks: Marks = { deliveredSeq: 0, readSeq: 0 };

export function marksOf(members: readonly Member[], accountId: string): Marks {
  const others = members.filter(({ user }) => user.id !== accountId);
  if (others.length === 0) return noMarks;
  const readSeq = Math.min(...others.map((member) => member.readSeq));
  const deliveredSeq = Math.min(...others.map((member) => Math.max(member.readSeq, member.deliveredSeq)));
  return { readSeq, deliveredSeq };
}

/** Makes what is shown, and the same object again as long as nothing about it changed. */
export class Appearance {
  readonly #accountId: string;
  readonly #views = new WeakMap<object, ViewMessage>();

  constructor(accountId: string) {
    this.#accountId = accountId;
  }

  /** `key` is that of the message while it was sent, if this run has sent it. */
  ofStored(message: ChatMessage, marks: Marks, key: string | undefined): ViewMessage {
    const isOwn = message.senderId === this.#accountId;
    const state = isOwn ? stateOf(message.seq, marks) : null;
    const known = this.#views.get(message);
    if (known !== undefined && known.state === state && (key === undefined || known.key === key))
      return known;
    const { conversationId, seq, id, senderId, content, timestamp, quote } = message;
    return this.#remember(message, {
      ...{ conversationId, seq, id, senderId, isOwn, content, timestamp, state },
      key: key ?? `seq-${seq}`,
      quote: quote === null ? null : { seq: quote, key: null },
      failure: null,
    });
  }

  ofOutgoing(message: Outgoing): ViewMessage {
    const known = this.#views.get(message);
    if (known !== undefined && known.failure === message.failure) return known;
    const { key, conversationId, content, quoteSeq, quoteKey, failure } = message;
    return this.#remember(message, {
      ...{
        key,
        conversationId,
        seq: null,
        id: null,
        senderId: this.#accountId,
        isOwn: true,
        content,
        failure,
      },
      timestamp: new Date(message.writtenAtMs).toISOString(),
      quote: quoteSeq === null && quoteKey === null ? null : { seq: quoteSeq, key: quoteKey },
      state: failure === null ? 'sending' : 'failed',
    });
  }

  #remember(source: object, view: ViewMessage): ViewMessage {
    this.#views.set(source, view);
    return view;
  }
}

function stateOf(seq: number, marks: Marks): SendState {
  if (seq <= marks.readSeq) return 'read';
  return seq <= marks.deliveredSeq ? 'delivered' : 'sent';
}
