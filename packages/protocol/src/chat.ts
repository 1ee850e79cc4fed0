import { z } from 'zod';
import { Id, PageQuery, pageOf, Timestamp, text } from './common.ts';
import { endpoint } from './endpoint.ts';
import { IMAGE_URL_MAX, isImageUrl, isMessageText, MESSAGE_TEXT_MAX } from './message-text.ts';
import { User } from './users.ts';

export const GROUP_MEMBERS_MAX = 500;
export const CONVERSATION_TITLE_MAX = 60;
export const MESSAGES_LIMIT_MAX = 200;
/** A long poll is answered after so long at the latest. */
export const SYNC_WAIT_MAX_SECONDS = 30;

/** Of a device or a chain: chosen at random by the client, together with the storage that keeps it. */
export const ChatName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 _ -');
/** 1, 2, 3 ... within a chain or a conversation. */
export const Seq = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const SeqQuery = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What people can say. */
export const MessageContent = z
  .discriminatedUnion('type', [
    z.object({
      type: z.literal('text'),
      text: z
        .string()
        .max(MESSAGE_TEXT_MAX * 2)
        .refine(isMessageText, `must have 1 to ${MESSAGE_TEXT_MAX} characters, no control characters`),
    }),
    z.object({
      type: z.literal('image'),
      url: z.string().max(IMAGE_URL_MAX).refine(isImageUrl, 'must be https or a path of this server'),
      width: z.int().min(1).max(20_000),
      height: z.int().min(1).max(20_000),
    }),
    z.object({ type: z.literal('video'), videoId: Id }),
    z.object({ type: z.literal('custom'), name: ChatName, data: z.json() }),
  ])
  .meta({ id: 'MessageContent' });
export type MessageContent = z.infer<typeof MessageContent>;

/** What the server says in a conversation, in its order: who came, who went, what it is called. */
export const SystemContent = z
  .object({
    type: z.literal('system'),
    event: z.enum(['created', 'joined', 'left', 'removed', 'renamed']),
    actorId: Id,
    accountIds: z.array(Id).optional(),
    title: z.string().optional(),
  })
  .meta({ id: 'SystemContent' });
export type SystemContent = z.infer<typeof SystemContent>;

/** What somebody said who has left the community. Its place stays, so that the order has no hole. */
export const DeletedContent = z.object({ type: z.literal('deleted') }).meta({ id: 'DeletedContent' });
export type DeletedContent = z.infer<typeof DeletedContent>;

export const ChatMessage = z
  .object({
    conversationId: Id,
    /** Its place in the conversation: without holes, the same for everybody. */
    seq: Seq,
    id: Id,
    senderId: Id,
    /** The device it was sent by; null for the server's own. */
    senderDevice: Id.nullable(),
    clientSeq: Seq.nullable(),
    /** `seq` of the message that it answers. */
    quote: Seq.nullable(),
    timestamp: Timestamp,
    content: z.union([MessageContent, SystemContent, DeletedContent]),
  })
  .meta({ id: 'ChatMessage' });
export type ChatMessage = z.infer<typeof ChatMessage>;

export const ConversationType = z.enum(['direct', 'group']);
export type ConversationType = z.infer<typeof ConversationType>;
export const MemberRole = z.enum(['owner', 'member']);
export type MemberRole = z.infer<typeof MemberRole>;

export const Conversation = z
  .object({
    id: Id,
    type: ConversationType,
    title: z.string().nullable(),
    createdAt: Timestamp,
    memberCount: z.int(),
    /** The other one of a direct chat; of a group up to five others, for its picture and name. */
    others: z.array(User),
    role: MemberRole,
    /** The newest message; 0: none yet. */
    headSeq: z.int(),
    /** Messages up to this one were sent before the viewer came, and are not shown. */
    joinedSeq: z.int(),
    readSeq: z.int(),
    /** Messages of others above `readSeq`, counted up to 1,000. */
    unread: z.int(),
    lastMessage: ChatMessage.nullable(),
  })
  .meta({ id: 'Conversation' });
export type Conversation = z.infer<typeof Conversation>;

export const Member = z
  .object({ user: User, role: MemberRole, joinedAt: Timestamp, readSeq: z.int(), deliveredSeq: z.int() })
  .meta({ id: 'Member' });
export type Member = z.infer<typeof Member>;

export const SendReceipt = z
  .object({
    id: Id,
    conversationId: Id,
    seq: Seq,
    timestamp: Timestamp,
    /** It was stored before, by an earlier try. */
    duplicate: z.boolean(),
  })
  .meta({ id: 'SendReceipt' });
export type SendReceipt = z.infer<typeof SendReceipt>;

/** Beside a problem: where a chain goes on. */
export const OutOfTurn = z.object({ expectedClientSeq: Seq, expectedPreId: Id.nullable() });
export type OutOfTurn = z.infer<typeof OutOfTurn>;

/** One entry of an account's log of events. Numbers (`pts`) are without holes; the log is cut to its newest thousand. */
export const ChatEvent = z
  .discriminatedUnion('kind', [
    z.object({ pts: Seq, kind: z.literal('joined'), conversationId: Id }),
    z.object({ pts: Seq, kind: z.literal('left'), conversationId: Id }),
    /** The account has read so far, on some device. */
    z.object({ pts: Seq, kind: z.literal('read'), conversationId: Id, seq: z.int() }),
  ])
  .meta({ id: 'ChatEvent' });
export type ChatEvent = z.infer<typeof ChatEvent>;

/**
 * What others have got and read. Not kept: a client that missed it reads the members. Marks only rise: what is smaller than
 * what is known already (0: not told) says nothing.
 */
export const ChatMark = z.object({
  kind: z.literal('mark'),
  conversationId: Id,
  accountId: Id,
  readSeq: z.int(),
  deliveredSeq: z.int(),
});
export type ChatMark = z.infer<typeof ChatMark>;

export const SyncedConversation = z
  .object({
    conversationId: Id,
    headSeq: z.int(),
    /** Not sent, because there is too much of it: to be read as history. Inclusive. */
    gap: z.object({ fromSeq: Seq, toSeq: Seq }).nullable(),
    /** In order of seq, after the device's cursor and the gap. */
    messages: z.array(ChatMessage),
  })
  .meta({ id: 'SyncedConversation' });
export type SyncedConversation = z.infer<typeof SyncedConversation>;

export const SyncAnswer = z
  .object({
    /** The device that the server knows the caller as. Another one than last time: as `tooLong`. */
    deviceId: Id,
    pts: z.int(),
    /** The events since `pts` are not all there, or the device was forgotten: read the conversations anew. */
    tooLong: z.boolean(),
    events: z.array(ChatEvent),
    conversations: z.array(SyncedConversation),
    /** There is more: sync again at once, with the acknowledgements. */
    more: z.boolean(),
  })
  .meta({ id: 'SyncAnswer' });
export type SyncAnswer = z.infer<typeof SyncAnswer>;

const one = z.object({ id: Id });

export const conversations = {
  create: endpoint({
    method: 'POST',
    path: '/conversations',
    tag: 'chat',
    summary: 'Begin a conversation; a direct one is found again, not doubled',
    access: 'user',
    limit: 'write',
    body: z.discriminatedUnion('type', [
      z.object({ type: z.literal('direct'), memberIds: z.array(Id).length(1) }),
      z.object({
        type: z.literal('group'),
        memberIds: z
          .array(Id)
          .min(1)
          .max(GROUP_MEMBERS_MAX - 1),
        title: text(1, CONVERSATION_TITLE_MAX).optional(),
      }),
    ]),
    status: 201,
    response: Conversation,
    problems: ['blocked', 'cannot-target-self', 'group-full', 'not-found', 'too-many-conversations'],
  }),
  list: endpoint({
    method: 'GET',
    path: '/conversations',
    tag: 'chat',
    summary: 'One’s conversations, the one with the newest message first',
    access: 'user',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(Conversation),
    problems: ['invalid-cursor'],
  }),
  unread: endpoint({
    method: 'GET',
    path: '/chat/unread',
    tag: 'chat',
    summary: 'How many conversations hold something unread',
    access: 'user',
    limit: 'read',
    status: 200,
    response: z.object({ conversations: z.int() }),
  }),
  get: endpoint({
    method: 'GET',
    path: '/conversations/{id}',
    tag: 'chat',
    summary: 'One conversation',
    access: 'user',
    limit: 'read',
    params: one,
    status: 200,
    response: Conversation,
  }),
  rename: endpoint({
    method: 'PATCH',
    path: '/conversations/{id}',
    tag: 'chat',
    summary: 'Give a group another title: its members',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({ title: text(1, CONVERSATION_TITLE_MAX) }),
    status: 204,
    problems: ['forbidden'],
  }),
  messages: endpoint({
    method: 'GET',
    path: '/conversations/{id}/messages',
    tag: 'chat',
    summary: 'History, in order of seq: after one message, or before one, or the newest',
    access: 'user',
    limit: 'read',
    params: one,
    query: z.object({
      afterSeq: SeqQuery.optional(),
      beforeSeq: SeqQuery.optional(),
      limit: z.coerce.number().int().min(1).max(MESSAGES_LIMIT_MAX).default(50),
    }),
    status: 200,
    response: z.object({ items: z.array(ChatMessage), headSeq: z.int() }),
  }),
  send: endpoint({
    method: 'POST',
    path: '/conversations/{id}/messages',
    tag: 'chat',
    summary: 'Say something, for clients without a socket; answered when it is durable',
    access: 'user',
    limit: 'message',
    params: one,
    body: z.intersection(
      MessageContent,
      z.object({
        /** As `device-id` of CONNECT: an instance under this login. */
        deviceId: ChatName.optional(),
        chain: ChatName.optional(),
        clientSeq: Seq.optional(),
        /** The id of the message before it in its chain; `0`: there is none, or it was refused. */
        preId: z.union([Id, z.literal('0')]).optional(),
        /** A seq, or `chain:client-seq` of a message of this device that has no seq yet. */
        quote: z.union([Seq, z.string().regex(/^[A-Za-z0-9_-]{1,64}:[1-9][0-9]{0,15}$/)]).optional(),
      }),
    ),
    status: 200,
    response: SendReceipt,
    problems: ['blocked', 'chain-conflict', 'out-of-turn', 'message-invalid', 'quote-unknown'],
  }),
  read: endpoint({
    method: 'PUT',
    path: '/conversations/{id}/read',
    tag: 'chat',
    summary: 'Everything up to this message was read; marks never go back',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({ seq: z.int().min(0) }),
    status: 204,
  }),
  members: endpoint({
    method: 'GET',
    path: '/conversations/{id}/members',
    tag: 'chat',
    summary: 'Who is in it, with what each has got and read',
    access: 'user',
    limit: 'read',
    params: one,
    query: PageQuery,
    status: 200,
    response: pageOf(Member),
    problems: ['invalid-cursor'],
  }),
  add: endpoint({
    method: 'POST',
    path: '/conversations/{id}/members',
    tag: 'chat',
    summary: 'Bring people into a group: its members. They see what is said from then on',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({ memberIds: z.array(Id).min(1).max(100) }),
    status: 204,
    problems: ['blocked', 'forbidden', 'group-full', 'too-many-conversations'],
  }),
  remove: endpoint({
    method: 'DELETE',
    path: '/conversations/{id}/members/{userId}',
    tag: 'chat',
    summary: 'Leave a group, or take somebody out of it: its owner',
    access: 'user',
    limit: 'write',
    params: z.object({ id: Id, userId: Id }),
    status: 204,
    problems: ['forbidden'],
  }),
};

export const chat = {
  sync: endpoint({
    method: 'GET',
    path: '/chat/sync',
    tag: 'chat',
    summary: 'Events and messages that this device has not acknowledged; with `wait` a long poll',
    access: 'user',
    limit: 'read',
    query: z.object({
      device: ChatName.optional(),
      /** The last event that the client has; left out: none, as a new device. */
      pts: SeqQuery.optional(),
      /** `conversation:seq`, separated by commas: everything up to there has arrived. */
      ack: z
        .string()
        .max(20_000)
        .regex(/^(?:[1-9][0-9]{0,18}:[0-9]{1,16})(?:,[1-9][0-9]{0,18}:[0-9]{1,16}){0,499}$/)
        .optional(),
      wait: z.coerce.number().int().min(0).max(SYNC_WAIT_MAX_SECONDS).default(0),
    }),
    status: 200,
    response: SyncAnswer,
  }),
};
