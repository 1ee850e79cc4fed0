import type { StompDecoder, StompFrame, StompVersion } from '@hvideo/protocol/stomp';
import type { Commits } from '../../features/chat/commit/index.ts';
import type { Delivery } from '../../features/chat/delivery/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { AppError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/log.ts';
import type { TimingWheel } from '../../kernel/timing-wheel.ts';
import type { Device } from '../../ports/device-store/port.ts';
import type { Viewer } from '../http/route.ts';

/** What of chat a gateway needs; in a process of its own it may be somewhere else. */
export interface GatewayChat {
  readonly committer: Pick<Commits, 'submit'>;
  readonly devices: { register(login: Viewer, instance: string): Promise<Device> };
  readonly delivery: Pick<Delivery, 'attach' | 'alternatives' | 'leave' | 'suspect'>;
}

export interface Login {
  readonly viewer: Viewer;
  /** Unix time in milliseconds at which the access token ends. */
  readonly expiresMs: number;
}

/** A connection, as those see it who carry out what it asks for. */
export interface Speaker {
  readonly host: ConnectionHost;
  readonly address: string;
  readonly version: StompVersion;
  readonly viewer: Viewer | undefined;
  readonly device: Device | undefined;
  sendsUnderWay: number;
  rpcUnderWay: number;
  write(text: string): void;
  reply(body: string, headers: readonly string[]): void;
  refuse(error: AppError, headers: readonly string[]): void;
  /** It has asked for something within its limits. */
  keptLimits(): void;
  fail(code: string, detail: string | undefined, receiptId: string | undefined): void;
  settled(): void;
}

/** Requests over the socket. */
export interface Rpc {
  /** Replies to the connection; never rejects. */
  answer(speaker: Speaker, viewer: Viewer, target: string, frame: StompFrame): Promise<void>;
}

/** What a connection finds around it, the same for all. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly wheel: TimingWheel;
  readonly chat: GatewayChat;
  readonly rpc: Rpc | undefined;
  readonly hasLimits: boolean;
  readonly server: string;
  readonly node: string;
  readonly counts: { frames: number; messages: number; sends: number };
  /** Of the turn in which everything is written. */
  readonly nowMs: number;
  login(token: string): Promise<Login | undefined>;
  /** False: the account has as many connections as it may. */
  admit(connection: object, viewer: Viewer): boolean;
  /** 0, or the seconds after which the account may send again. */
  takeSend(accountId: string): number;
  /** The same for subscriptions to messages. */
  takeOpen(accountId: string): number;
  takeDecoder(version: StompVersion): StompDecoder;
  giveDecoder(decoder: StompDecoder): void;
  nextSession(): string;
  /** At the end of the turn `flush` is called. */
  soon(connection: { flush(): void }): void;
  gone(connection: object, code: number): void;
}
