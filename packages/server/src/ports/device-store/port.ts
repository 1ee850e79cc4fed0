/**
 * Devices, how far each has acknowledged each conversation, and the offline box of those that are away.
 *
 * Guarantees (each is a test of `contract.ts`)
 * - `register` finds a device again by login and instance. A new one begins at the heads of its account's conversations: what
 *   was said before is history. One that comes after it was forgotten is new.
 * - Cursors only rise. One that was checkpointed is there after a crash; one that was not is lost, and its messages come again.
 * - `pending` answers every conversation in which the device's cursor is below the head when it is asked, derived from
 *   memberships and heads, whatever the box holds: pointers are written after the receipts, by processes that may die before.
 *   So the box may be lost or wrong: nothing is. What it names comes first.
 * - What is said while a device is being registered is history or pending.
 * - The box holds pointers of conversations in which something is new for a device that was away, until it has caught up there. When
 *   it overflows it is emptied, and fills again when the device has caught up everywhere.
 *
 * Units and limits: an account has at most `MAX_DEVICES` devices, the one seen longest ago gives way; a box holds at most
 * `MAX_BOX` pointers, one for each conversation. A device unseen for
 * `FORGET_AFTER_MS` is forgotten with cursors and box.
 * Errors: `database-unavailable`, `timeout` (outcome unknown). Everything here may be repeated.
 * Cost: a fixed number of statements a call.
 */
export interface DeviceStore {
  /** Errors: `token-invalid` when the login has ended. */
  register(device: DeviceName): Promise<Device>;
  /**
   * Conversations that hold something new for the device, each with its cursor: what the box names, then by conversation id. Null:
   * there is no such device any more, it was forgotten or gave way.
   */
  pending(device: Device, options?: DeviceStoreOptions): Promise<PendingConversation[] | null>;
  /**
   * Raises cursors of any number of devices, and takes the pointers of what is now caught up out of their boxes. Marks these
   * devices as seen. A device or a conversation that is not there is left out.
   */
  checkpoint(cursors: readonly Cursor[], nowMs: number): Promise<void>;
  /** Something is new in these conversations, for all devices of these accounts but those that are `present`. */
  note(news: readonly News[], nowMs: number): Promise<void>;
  /** Forgets what was not seen since; answers how many, at most `limit`. */
  forget(seenBeforeMs: number, limit: number): Promise<number>;
}

export interface DeviceName {
  /** Proposed; kept if the device is new. */
  readonly id: string;
  readonly accountId: string;
  readonly sessionId: string;
  readonly instance: string;
  readonly nowMs: number;
}

export interface Device {
  readonly id: string;
  readonly accountId: string;
  readonly isNew: boolean;
}

export interface PendingConversation {
  readonly conversationId: string;
  /** Everything up to here is acknowledged, or from before the member came. */
  readonly cursorSeq: number;
  readonly headSeq: number;
}

export interface Cursor {
  readonly deviceId: string;
  readonly conversationId: string;
  readonly seq: number;
}

export interface News {
  readonly conversationId: string;
  readonly accountIds: readonly string[];
  /** Devices that got it by themselves. */
  readonly presentDeviceIds: readonly string[];
}

export interface DeviceStoreOptions {
  readonly signal?: AbortSignal | undefined;
}

export const MAX_DEVICES = 50;
export const MAX_BOX = 1_000;
export const FORGET_AFTER_MS = 30 * 86_400_000;
