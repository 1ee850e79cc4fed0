import type { Clock } from '../../../kernel/clock.ts';
import type { AppError } from '../../../kernel/errors.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Random } from '../../../kernel/random.ts';
import type { MessageStore, StoredMessage } from '../../../ports/message-store/port.ts';

/** What somebody wants to say. */
export interface Draft {
  readonly conversationId: string;
  readonly senderId: string;
  readonly deviceId: string;
  /** JSON of a `MessageContent`, as it was sent. */
  readonly body: string;
  /** Its name; left out: the one of this device. */
  readonly chain?: string | undefined;
  /** Left out: no protection against doubles. */
  readonly clientSeq?: number | undefined;
  readonly preId?: string | undefined;
  /** A seq, or `chain:client-seq` of a message of this device. */
  readonly quote?: number | string | undefined;
}

export interface Receipt {
  readonly conversationId: string;
  readonly seq: number;
  readonly id: string;
  readonly timestampMs: number;
  /** An earlier send of the same number was stored. */
  readonly isDuplicate: boolean;
}

/** Called once, and never from within `submit`. Must not throw. */
export interface SendListener {
  stored(receipt: Receipt): void;
  refused(error: AppError): void;
}

/** Where what is said goes to become durable: in this process, or in another that owns the conversation. */
export interface Commits extends AsyncDisposable {
  /** For the hot path: no promise. */
  submit(draft: Draft, listener: SendListener): void;
  send(draft: Draft): Promise<Receipt>;
  /** Sends that are not answered. */
  readonly waiting: number;
  /** Processes that take what is said here. */
  readonly owners: number;
  /** Tells others that this process stops: they go elsewhere. What comes here is taken until it is disposed of. */
  leave(): Promise<void>;
}

export interface CommitterDeps {
  readonly messages: MessageStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly log: Logger;
  /**
   * What was stored now, in order of seq for each conversation, in the same turn as the receipts. After a lost answer of the store
   * some may have been told before.
   */
  readonly onCommitted: (messages: readonly StoredMessage[]) => void;
  /** Something may have been stored there without anybody having been told: its sender got an error. */
  readonly onUnknown: (conversationIds: readonly string[]) => void;
}

export interface CommitterOptions {
  /** A batch that takes longer does not stand in the way of other conversations. */
  readonly lateMs: number;
  /** Batches under way at a time, of which all but one are late. */
  readonly maxUnderWay: number;
  /** How long a send whose outcome is unknown is given again. */
  readonly retryMs: number;
  /** How long a reply waits for what it quotes. */
  readonly quoteMs: number;
  readonly maxWaiting: number;
  readonly maxHeld: number;
  /** Of the bodies that wait. */
  readonly maxWaitingBytes: number;
}

export const defaultOptions: CommitterOptions = {
  lateMs: 100,
  maxUnderWay: 4,
  retryMs: 5_000,
  quoteMs: 10_000,
  maxWaiting: 40_000,
  maxHeld: 4_000,
  maxWaitingBytes: 64 * 1024 * 1024,
};
