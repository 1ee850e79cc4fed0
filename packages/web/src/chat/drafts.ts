import { storage } from '../app/storage.ts';
import { createStore } from '../lib/signal.ts';

/** What somebody began to write and has not sent, for each conversation; it outlives the page. */
export interface Draft {
  readonly text: string;
  /** The message that is to be answered. */
  readonly quoteSeq?: number;
}

const maxDrafts = 50;
const storageKey = (accountId: string) => `hvideo.drafts.${accountId}`;

/** Each change is a new map. The newest stand last, and the oldest are forgotten first. */
export const drafts = createStore<ReadonlyMap<string, Draft>>(new Map());
let ownerId: string | undefined;

/** Reads the drafts of the account; those of another one are put away. */
export function openDrafts(accountId: string): void {
  if (ownerId === accountId) return;
  ownerId = accountId;
  drafts.set(parseDrafts(storage.getItem(storageKey(accountId))));
}

/** On a device that others use, nothing of it stays. */
export function forgetDrafts(accountId: string): void {
  storage.removeItem(storageKey(accountId));
  if (ownerId !== accountId) return;
  ownerId = undefined;
  drafts.set(new Map());
}

export function saveDraft(conversationId: string, draft: Draft): void {
  const next = new Map(drafts.get());
  next.delete(conversationId);
  if (draft.text.trim() !== '' || draft.quoteSeq !== undefined) next.set(conversationId, draft);
  drafts.set(new Map([...next].slice(-maxDrafts)));
  if (ownerId === undefined) return;
  try {
    storage.setItem(storageKey(ownerId), JSON.stringify([...drafts.get()]));
  } catch {
    // The storage is full: the drafts last as long as the page.
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

export function parseDrafts(text: string | null): ReadonlyMap<string, Draft> {
  const found = new Map<string, Draft>();
  let entries: unknown;
  try {
    entries = JSON.parse(text ?? '[]');
  } catch {
    return found; // Somebody else's text under this key: as good as nothing.
  }
  for (const entry of Array.isArray(entries) ? entries : []) {
    const [id, draft]: unknown[] = Array.isArray(entry) ? entry : [];
    if (typeof id !== 'string' || !isRecord(draft) || typeof draft['text'] !== 'string') continue;
    const quoteSeq = draft['quoteSeq'];
    found.set(id, { text: draft['text'], ...(typeof quoteSeq === 'number' && { quoteSeq }) });
  }
  return found;
}
