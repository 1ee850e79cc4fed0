import { header, type StompFrame } from '@hvideo/protocol/stomp';
import type { Receipt, SendListener } from '../../features/chat/commit/index.ts';
import type { AppError } from '../../kernel/errors.ts';
import { isId } from '../../kernel/ids.ts';
import { problem, sendReceiptText } from './frames.ts';
import type { Speaker } from './host.ts';
import { gatewayLimits as limits } from './limits.ts';

const CONVERSATIONS = '/app/conversations/';
const RPC = '/app/rpc/';

/** A SEND: something to be said, or a request. */
export function submitSend(connection: Speaker, frame: StompFrame): void {
  const destination = header(frame, 'destination');
  if (destination === undefined)
    connection.fail('missing-header', 'SEND without destination', header(frame, 'receipt'));
  else if (header(frame, 'transaction') !== undefined)
    connection.fail('transactions-unsupported', 'SEND in a transaction', header(frame, 'receipt'));
  else if (destination.startsWith(CONVERSATIONS))
    say(connection, frame, destination.slice(CONVERSATIONS.length));
  else if (destination.startsWith(RPC)) request(connection, frame, destination.slice(RPC.length));
  else connection.refuse(problem('not-found', 'There is no such destination'), namesOf(frame));
}

function say(connection: Speaker, frame: StompFrame, conversationId: string): void {
  const { device, host } = connection;
  if (!device) return;
  host.counts.sends += 1;
  if (host.hasLimits) {
    const wait = host.takeSend(device.accountId);
    if (wait > 0) {
      connection.refuse(problem('rate-limited', undefined, wait), namesOf(frame));
      return;
    }
  }
  if (connection.sendsUnderWay >= limits.maxSendsUnderWay) {
    connection.refuse(problem('rate-limited', 'Too many sends under way', 1), namesOf(frame));
    return;
  }
  connection.keptLimits();
  if (!isId(conversationId)) {
    connection.refuse(problem('not-found'), namesOf(frame));
    return;
  }
  const clientSeq = header(frame, 'client-seq');
  const quote = header(frame, 'quote');
  const preId = header(frame, 'pre-id');
  const seq = clientSeq === undefined ? undefined : numberOf(clientSeq);
  if (Number.isNaN(seq) || (preId !== undefined && !isId(preId))) {
    connection.refuse(problem('invalid-request', 'client-seq and pre-id are numbers'), namesOf(frame));
    return;
  }
  connection.sendsUnderWay += 1;
  host.chat.committer.submit(
    {
      conversationId,
      senderId: device.accountId,
      deviceId: device.id,
      body: frame.text,
      chain: header(frame, 'chain'),
      clientSeq: seq,
      preId,
      quote: quote === undefined || quote.includes(':') ? quote : numberOf(quote),
    },
    new PendingSend(connection, header(frame, 'receipt'), conversationId, clientSeq),
  );
}

function request(connection: Speaker, frame: StompFrame, target: string): void {
  const { host, viewer } = connection;
  if (!host.rpc || !viewer) {
    connection.refuse(problem('not-found'), namesOf(frame));
    return;
  }
  if (connection.rpcUnderWay >= limits.maxRpcUnderWay) {
    connection.refuse(problem('rate-limited', 'Too many requests under way', 1), namesOf(frame));
    return;
  }
  connection.keptLimits();
  connection.rpcUnderWay += 1;
  void host.rpc.answer(connection, viewer, target, frame);
}

/** NaN where it is none that may be. */
function numberOf(text: string): number {
  const value = Number(text);
  return Number.isSafeInteger(value) && value > 0 && /^\d+$/.test(text) ? value : Number.NaN;
}

/** What says which frame an error is about. */
export function namesOf(frame: StompFrame): string[] {
  const names: string[] = [];
  const receipt = header(frame, 'receipt');
  const correlation = header(frame, 'correlation-id');
  const clientSeq = header(frame, 'client-seq');
  const destination = header(frame, 'destination');
  if (receipt !== undefined) names.push('receipt-id', receipt);
  if (correlation !== undefined) names.push('correlation-id', correlation);
  if (clientSeq !== undefined) names.push('client-seq', clientSeq);
  if (destination?.startsWith(CONVERSATIONS))
    names.push('conversation', destination.slice(CONVERSATIONS.length));
  return names;
}

/** A SEND that the commit path has. */
class PendingSend implements SendListener {
  readonly #connection: Speaker;
  readonly #receiptId: string | undefined;
  readonly #conversationId: string;
  readonly #clientSeq: string | undefined;

  constructor(
    connection: Speaker,
    receiptId: string | undefined,
    conversationId: string,
    clientSeq: string | undefined,
  ) {
    this.#connection = connection;
    this.#receiptId = receiptId;
    this.#conversationId = conversationId;
    this.#clientSeq = clientSeq;
  }

  stored(receipt: Receipt): void {
    const connection = this.#connection;
    if (this.#receiptId !== undefined)
      connection.write(sendReceiptText(this.#receiptId, receipt, connection.version));
    // Whoever stored it before may have died before telling anybody.
    if (receipt.isDuplicate) connection.host.chat.delivery.suspect([receipt.conversationId]);
    connection.settled();
  }

  refused(error: AppError): void {
    const names = ['conversation', this.#conversationId];
    if (this.#receiptId !== undefined) names.push('receipt-id', this.#receiptId);
    if (this.#clientSeq !== undefined) names.push('client-seq', this.#clientSeq);
    this.#connection.refuse(error, names);
    this.#connection.settled();
  }
}
