import type { ViewMessage } from '@hvideo/client';
import type { SystemContent } from '@hvideo/protocol';
import type { SaidContent } from './names.ts';

export interface Day {
  /** Midnight where the viewer is. */
  readonly startMs: number;
  readonly rows: readonly Row[];
}

export type Row =
  | { readonly kind: 'new'; readonly key: string }
  | {
      readonly kind: 'system';
      readonly key: string;
      readonly message: ViewMessage;
      readonly content: SystemContent;
    }
  | MessageRow;

export interface MessageRow {
  readonly kind: 'message';
  readonly key: string;
  readonly message: ViewMessage;
  readonly content: SaidContent;
  /** Of those that one person sent in a row. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Messages of one person stand together as long as no more time lies between them. */
const togetherMs = 5 * 60_000;

const startOfDay = (at: string) => new Date(at).setHours(0, 0, 0, 0);

/**
 * What stands below each other in a conversation, by days: messages, who came and went, and above the first message of
 * others that is newer than `newAfter` a line that says so. `hasOlder`: what stands first here is not the first of all, so
 * what is new may begin further up.
 */
export function daysOf(
  messages: readonly ViewMessage[],
  newAfter: number | undefined,
  hasOlder = false,
): readonly Day[] {
  const days: { startMs: number; rows: Row[] }[] = [];
  const found = messages.findIndex((message) => isNews(message, newAfter));
  const firstNew = found === 0 && hasOlder && (messages[0]?.seq ?? 0) > (newAfter ?? 0) + 1 ? -1 : found;
  messages.forEach((message, at) => {
    const startMs = startOfDay(message.timestamp);
    let day = days.at(-1);
    if (day?.startMs !== startMs) {
      day = { startMs, rows: [] };
      days.push(day);
    }
    if (at === firstNew) day.rows.push({ kind: 'new', key: 'new' });
    const { key, content } = message;
    if (content.type === 'system') {
      day.rows.push({ kind: 'system', key, message, content });
      return;
    }
    const isFirst = at === firstNew || !areTogether(messages[at - 1], message);
    const isLast = at + 1 === firstNew || !areTogether(message, messages[at + 1]);
    day.rows.push({ kind: 'message', key, message, content, isFirst, isLast });
  });
  return days;
}

const isNews = ({ seq, isOwn }: ViewMessage, newAfter: number | undefined) =>
  newAfter !== undefined && seq !== null && seq > newAfter && !isOwn;

function areTogether(above: ViewMessage | undefined, below: ViewMessage | undefined): boolean {
  if (above === undefined || below === undefined) return false;
  if (above.content.type === 'system' || below.content.type === 'system') return false;
  return (
    above.senderId === below.senderId &&
    Math.abs(Date.parse(below.timestamp) - Date.parse(above.timestamp)) < togetherMs &&
    startOfDay(above.timestamp) === startOfDay(below.timestamp)
  );
}
