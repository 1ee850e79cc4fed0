import { header, type StompFrame } from '@hvideo/protocol/stomp';
import type { AckMode, Attachment } from '../../features/chat/delivery/index.ts';
import { readAck } from './frames.ts';
import type { Speaker } from './host.ts';
import { submitSend } from './sending.ts';
import type { Subscriptions } from './subscriptions.ts';

/** A connection that is let in, as its commands need it. */
export interface Member extends Speaker {
  readonly attachment: Attachment | undefined;
  readonly subscribed: Subscriptions;
  receipt(id: string | undefined): void;
  openMessages(mode: AckMode): void;
  writeKept(): void;
  disconnect(receiptId: string | undefined): void;
}

/** Answers 1 for an acknowledgement of something, which is for free. */
export function carryOut(connection: Member, frame: StompFrame): number {
  const { command } = frame;
  if (command === 'SEND') submitSend(connection, frame);
  else if (command === 'ACK') return acknowledge(connection, frame);
  // It was not accepted: it stays unacknowledged, and comes again with the next subscription.
  else if (command === 'NACK') connection.receipt(header(frame, 'receipt'));
  else if (command === 'SUBSCRIBE') subscribe(connection, frame);
  else if (command === 'UNSUBSCRIBE') unsubscribe(connection, frame);
  else if (command === 'DISCONNECT') connection.disconnect(header(frame, 'receipt'));
  else if (command === 'CONNECT' || command === 'STOMP')
    connection.fail('already-connected', `a second ${command}`, header(frame, 'receipt'));
  else connection.fail('transactions-unsupported', `${command} is not supported`, header(frame, 'receipt'));
  return 0;
}

function subscribe(connection: Member, frame: StompFrame): void {
  const { subscribed, version } = connection;
  const receipt = header(frame, 'receipt');
  const wanted = subscribed.read(frame, version);
  if ('code' in wanted) {
    connection.fail(wanted.code, wanted.detail, receipt);
    return;
  }
  subscribed.add(wanted, version);
  connection.receipt(receipt);
  if (wanted.queue === 'messages') connection.openMessages(wanted.ack);
  else if (wanted.queue === 'errors') connection.writeKept();
}

function unsubscribe(connection: Member, frame: StompFrame): void {
  const { attachment, subscribed, version } = connection;
  if (subscribed.end(frame, version) === 'messages') attachment?.close();
  connection.receipt(header(frame, 'receipt'));
}

function acknowledge(connection: Member, frame: StompFrame): number {
  const { attachment, version } = connection;
  const receipt = header(frame, 'receipt');
  const id = header(frame, version === '1.2' ? 'id' : 'message-id');
  if (id === undefined || header(frame, 'transaction') !== undefined) {
    connection.fail(id === undefined ? 'missing-header' : 'transactions-unsupported', 'ACK', receipt);
    return 0;
  }
  const named = readAck(id);
  const before = attachment?.unacknowledged ?? 0;
  if (named) attachment?.ack(named.conversationId, named.seq);
  connection.receipt(receipt);
  return (attachment?.unacknowledged ?? 0) < before ? 1 : 0;
}
