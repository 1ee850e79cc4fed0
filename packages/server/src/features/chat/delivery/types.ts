import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Random } from '../../../kernel/random.ts';
import type { Bus } from '../../../ports/bus/port.ts';
import type { ConversationStore } from '../../../ports/conversation-store/port.ts';
import type { Device, DeviceStore } from '../../../ports/device-store/port.ts';
import type { MessageStore, StoredMessage } from '../../../ports/message-store/port.ts';
import type { RouteTable } from '../../../ports/route-table/port.ts';
import type { Notice, Run } from './shared.ts';

export interface DeliveryDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly messages: Pick<MessageStore, 'read' | 'heads'>;
  readonly conversations: Pick<ConversationStore, 'memberships' | 'memberIds'>;
  readonly devices: Pick<DeviceStore, 'pending'>;
  readonly routes: RouteTable;
  readonly bus: Bus;
  /** Of this process, among all that are on the bus; no other has ever had it. */
  readonly nodeName: string;
  /** Where clients reach this node past whatever stands before all; told to other nodes. */
  readonly address?: string | undefined;
  readonly checkpoints: Checkpoints;
  /** What was committed elsewhere, and told to this node. */
  readonly heard?: ((messages: readonly StoredMessage[]) => void) | undefined;
}

/** Where acknowledged positions go, to be kept in batches. */
export interface Checkpoints {
  note(
    device: { readonly id: string; readonly accountId: string },
    conversationId: string,
    seq: number,
  ): void;
}

/** The device’s end: everything here is called synchronously, and must not throw. */
export interface DownlinkListener {
  /** In the order of the conversation, without holes but the device’s own messages and what a `gap` covers. */
  messages(run: Run): void;
  /** Not sent, because there is too much of it: to be read as history. Acknowledged as its last message is. */
  gap(conversationId: string, fromSeq: number, toSeq: number): void;
  /** To the account, whatever is subscribed to. */
  notice(notice: Notice): void;
  /** A newer connection of the same device has taken over; nothing is called after this. */
  displaced(): void;
}

/**
 * How what was delivered counts as arrived. `client`: an acknowledgement covers all that was delivered before; `client-individual`:
 * it covers one delivery; `auto`: what was handed to the socket has arrived, at most once.
 */
export type AckMode = 'client' | 'client-individual' | 'auto';

/** One device’s connection with this node. */
export interface Attachment {
  readonly device: Device;
  /** Messages begin: first what is pending. Rejects when the stores cannot be reached; then it may be opened again. `not-found`: there is no such device any more. */
  open(mode: AckMode): Promise<void>;
  /** Messages end; what is not acknowledged comes again with the next `open`. */
  close(): void;
  /** Acknowledges a delivery by its last message; what was never delivered is ignored. */
  ack(conversationId: string, seq: number): void;
  /** Its socket takes no more: until `resume` nothing is delivered, and what comes meanwhile is read from the store then. */
  pause(): void;
  resume(): void;
  /** Idempotent. */
  detach(): void;
  readonly unacknowledged: number;
  /** Something was not delivered yet, for want of acknowledgements or because the socket is slow. */
  readonly isBehind: boolean;
}

/** At most so many deliveries wait for their acknowledgements. */
export const MAX_UNACKNOWLEDGED = 1_000;
/** A device that was away, and is further behind in a conversation, gets a gap and its newest messages. */
export const GAP_ABOVE = 500;
export const AFTER_GAP = 100;
/** Of larger groups no marks are told. */
export const MARKS_UP_TO_MEMBERS = 200;
