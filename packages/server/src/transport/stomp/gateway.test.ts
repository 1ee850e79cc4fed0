import { beforeEach, expect, test } from 'bun:test';
import { header, StompDecoder, type StompFrame } from '@hvideo/protocol/stomp';
import pino from 'pino';
import type { AckMode, DownlinkListener } from '../../features/chat/delivery/index.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Device } from '../../ports/device-store/port.ts';
import { Gateway } from './index.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

class HandClock {
  ms = 1_000_000;
  readonly timers: { everyMs: number; atMs: number; run: () => void | Promise<void> }[] = [];
  nowMs = () => this.ms;
  monotonicMs = () => this.ms;
  sleep = async (ms: number) => this.pass(ms);
  after = () => ({ [Symbol.dispose]: () => {} });
  every = (everyMs: number, run: () => void | Promise<void>) => {
    this.timers.push({ everyMs, atMs: this.ms + everyMs, run });
    return { [Symbol.dispose]: () => {} };
  };
  async pass(ms: number): Promise<void> {
    const endMs = this.ms + ms;
    while (this.ms < endMs) {
      this.ms = Math.min(endMs, ...this.timers.map(({ atMs }) => atMs));
      for (const timer of this.timers) {
        if (timer.atMs > this.ms) continue;
        timer.atMs += timer.everyMs;
        await timer.run();
      }
      await turn();
    }
  }
}

/** The other end of a connection. */
class Wire {
  readonly frames: StompFrame[] = [];
  readonly messages: string[] = [];
  readonly #decoder = new StompDecoder({ from: 'server' });
  code: number | undefined;
  wasTerminated = false;
  buffered = 0;
  send = (text: string) => {
    this.messages.push(text);
    this.#decoder.push(text);
    for (let frame = this.#decoder.next(); frame; frame = this.#decoder.next()) this.frames.push(frame);
    return this.buffered > 0 ? -1 : text.length;
  };
  getBufferedAmount = () => this.buffered;
  close = (code: number) => {
    this.code = code;
  };
  terminate = () => {
    this.wasTerminated = true;
  };
  get beats(): number {
    return this.messages.filter((text) => text === '\n').length;
  }
  get error(): string | undefined {
    const frame = this.frames.find(({ command }) => command === 'ERROR');
    return frame && header(frame, 'message');
  }
}

let clock: HandClock;
let gateway: Gateway;
let ended: string[];
/** What is sent is stored; else its answer never comes. */
let submits: boolean;
/** Nobody can be looked up. */
let outage: boolean;
let attached: { listener: DownlinkListener; modes: AckMode[]; isPaused: boolean; isDetached: boolean }[];

beforeEach(() => {
  clock = new HandClock();
  ended = [];
  submits = true;
  outage = false;
  attached = [];
  gateway = new Gateway({
    ...{ clock, log: pino({ level: 'silent' }), hasLimits: true, version: 'test', node: 'here' },
    random: { bytes: (count) => new Uint8Array(count), integer: () => 0 },
    authenticate: async (token) => {
      if (outage) throw new AppError('database-unavailable');
      if (token === 'bad') throw new AppError('token-invalid');
      return {
        viewer: { accountId: token, sessionId: `s${token}`, role: 'user' },
        expiresMs: clock.ms + 600_000,
      };
    },
    endedOf: async (ids) => ids.filter((id) => ended.includes(id)),
    chat: {
      committer: {
        submit({ conversationId }, listener) {
          if (!submits) return;
          const receipt = { conversationId, seq: 1, id: '1', timestampMs: clock.ms, isDuplicate: false };
          queueMicrotask(() => listener.stored(receipt));
        },
      },
      devices: {
        register: async ({ accountId }): Promise<Device> => ({
          id: `9${accountId}`,
          accountId,
          isNew: false,
        }),
      },
      delivery: {
        alternatives: () => ['wss://there/ws'],
        leave: () => {},
        suspect: () => {},
        attach(device, listener) {
          const own = { listener, modes: [] as AckMode[], isPaused: false, isDetached: false };
          attached.push(own);
          return {
            ...{ device, unacknowledged: 0, isBehind: false, close: () => {}, ack: () => {} },
            open: async (mode) => void own.modes.push(mode),
            pause: () => {
              own.isPaused = true;
            },
            resume: () => {
              own.isPaused = false;
            },
            detach: () => {
              own.isDetached = true;
            },
          };
        },
      },
    },
  });
});

async function connect(frames = 'CONNECT\naccept-version:1.2\npasscode:1\nheart-beat:20000,20000\n\n\0') {
  const wire = new Wire();
  const connection = gateway.connect('127.0.0.1', undefined);
  connection.opened(wire);
  connection.received(frames);
  await turn();
  await turn();
  return { wire, connection };
}

test('heart-beats go out in time, and who is silent for two and a half intervals is cut off', async () => {
  const { wire, connection } = await connect();
  for (let n = 0; n < 10; n += 1) {
    await clock.pass(20_000);
    connection.received('\n');
  }
  expect(wire.code).toBeUndefined();
  expect(wire.beats).toBeGreaterThanOrEqual(9);
  await clock.pass(49_000);
  expect(wire.code).toBeUndefined();
  await clock.pass(12_000);
  expect([wire.code, wire.error]).toEqual([4503, 'heart-beat-missed']);
  expect(attached[0]?.isDetached).toBe(true);
});

test('who wants no heart-beats gets none, and is not cut off', async () => {
  const { wire } = await connect('CONNECT\naccept-version:1.2\npasscode:1\n\n\0');
  await clock.pass(300_000);
  expect([wire.code, wire.beats]).toEqual([undefined, 0]);
});

test('CONNECT has to come in time, and the rest of a frame', async () => {
  const silent = await connect('\n');
  await clock.pass(10_500);
  expect(silent.wire.code).toBe(4506);
  const slow = await connect();
  slow.connection.received('SEND\ndesti');
  for (let n = 0; n < 60; n += 1) {
    await clock.pass(1_000);
    slow.connection.received('n');
  }
  expect(slow.wire.code).toBe(4506);
});

test('each frame has its own time, and what waits for one puts off nothing else', async () => {
  const { wire, connection } = await connect();
  connection.received('NACK\nid:');
  for (let n = 0; n < 20; n += 1) {
    await clock.pass(20_000);
    connection.received('e\n\n\0NACK\nid:');
  }
  expect([wire.error, wire.code]).toEqual([undefined, undefined]);
  expect(wire.beats).toBeGreaterThanOrEqual(19);
  // A byte now and then gets no frame further.
  for (let n = 0; n < 4; n += 1) {
    await clock.pass(10_500);
    connection.received('x');
  }
  expect([wire.error, wire.code]).toEqual(['timeout', 4506]);
});

test('who is always in the middle of a frame is cut off when its token ends', async () => {
  const { wire, connection } = await connect('CONNECT\naccept-version:1.2\npasscode:1\n\n\0NACK\nid:');
  for (let n = 0; n < 61; n += 1) {
    await clock.pass(10_000);
    connection.received('e\n\n\0NACK\nid:');
  }
  expect(wire.error).toBe('token-expired');
});

test('who says goodbye is waited for while sends are under way, and not for ever', async () => {
  submits = false;
  const { wire, connection } = await connect();
  const send = 'SEND\ndestination:/app/conversations/1\nreceipt:s\n\n{}\0';
  connection.received(`${send}DISCONNECT\nreceipt:bye\n\n\0`);
  await clock.pass(9_000);
  expect(wire.code).toBeUndefined();
  await clock.pass(1_500);
  expect([wire.code, header(wire.frames.at(-1)!, 'receipt-id')]).toEqual([1000, 'bye']);
});

test('the end of a token and of a login end the connection', async () => {
  const { wire } = await connect('CONNECT\naccept-version:1.2\npasscode:1\n\n\0');
  const other = await connect('CONNECT\naccept-version:1.2\npasscode:2\n\n\0');
  ended.push('s2');
  await clock.pass(61_000);
  expect([wire.code, other.wire.code]).toEqual([undefined, 4002]);
  await clock.pass(540_000);
  expect(wire.code).toBe(4504);
});

test('a socket that takes no more pauses its device, and is cut off when that lasts', async () => {
  const { wire, connection } = await connect(
    'CONNECT\naccept-version:1.2\npasscode:1\n\n\0SUBSCRIBE\nid:m\ndestination:/user/queue/messages\nack:client\n\n\0',
  );
  expect(attached[0]?.modes).toEqual(['client']);
  wire.buffered = 300_000;
  connection.write('\n');
  await turn();
  expect(attached[0]?.isPaused).toBe(true);
  wire.buffered = 0;
  connection.drained();
  expect(attached[0]?.isPaused).toBe(false);
  wire.buffered = 300_000;
  connection.write('\n');
  await turn();
  await clock.pass(31_000);
  expect([wire.code, wire.wasTerminated]).toEqual([4501, true]);
});

test('everything of one turn is one message', async () => {
  const { wire, connection } = await connect();
  const before = wire.messages.length;
  connection.received(
    'SUBSCRIBE\nid:e\ndestination:/user/queue/events\nreceipt:1\n\n\0ACK\nid:1-1\nreceipt:2\n\n\0',
  );
  connection.received('NACK\nid:1-1\nreceipt:3\n\n\0');
  await turn();
  await turn();
  expect(wire.messages.length - before).toBe(1);
  expect(wire.frames.slice(-3).map((frame) => header(frame, 'receipt-id'))).toEqual(['1', '2', '3']);
});

test('an account has so many connections and no more, an address so many that are not known', async () => {
  for (let n = 0; n < 50; n += 1) await connect();
  const further = await connect();
  expect([further.wire.code, further.wire.error]).toEqual([4505, 'too-many-connections']);
  further.connection.closed(4505);
  for (let n = 0; n < 100; n += 1) gateway.connect('10.0.0.1', undefined);
  expect(() => gateway.connect('10.0.0.1', undefined)).toThrow('Too many requests');
});

test('refusals add up only of who goes on all the same; what is within the limits makes up for some', async () => {
  const { wire, connection } = await connect();
  const send = 'SEND\ndestination:/app/conversations/1\n\n{}\0';
  connection.received(send.repeat(200));
  // A little more than it may, for long.
  for (let second = 0; second < 60; second += 1) {
    await clock.pass(1_000);
    connection.received(send.repeat(40));
  }
  expect(wire.code).toBeUndefined();
  // Eight times what it may.
  for (let second = 0; second < 20; second += 1) {
    await clock.pass(1_000);
    connection.received(send.repeat(160));
  }
  expect([wire.error, wire.code]).toEqual(['rate-limited', 4009]);
});

test('what comes in costs by its size as well', async () => {
  const { wire, connection } = await connect();
  const lines = '\n'.repeat(200_000);
  for (let n = 0; n < 30; n += 1) connection.received(lines);
  expect(wire.code).toBeUndefined();
  for (let n = 0; n < 15; n += 1) connection.received(lines);
  await turn();
  expect([wire.error, wire.code]).toEqual(['rate-limited', 4009]);
});

test('nobody subscribes again and again: each time their conversations are read', async () => {
  const { wire, connection } = await connect();
  const turns = 'SUBSCRIBE\nid:m\ndestination:/user/queue/messages\n\n\0UNSUBSCRIBE\nid:m\n\n\0';
  connection.received(turns.repeat(100));
  expect(wire.code).toBeUndefined();
  connection.received(turns);
  await turn();
  expect([wire.error, wire.code]).toEqual(['rate-limited', 4502]);
});

test('nobody opens and closes sockets without end', async () => {
  const open = () => gateway.connect('10.0.0.2', undefined).closed(1006);
  for (let n = 0; n < 2_000; n += 1) open();
  expect(open).toThrow('Too many requests');
  await clock.pass(1_000);
  open();
});

test('a login that fails before anybody asks for it is no fault of the process', async () => {
  outage = true;
  const url = 'http://here/ws?token=1';
  const rules = { publicOrigin: undefined, allowsOrigin: () => false };
  gateway.upgrade(new Request(url), '127.0.0.1', rules);
  const { connection } = gateway.upgrade(new Request(url), '127.0.0.1', rules);
  const wire = new Wire();
  connection.opened(wire);
  await turn();
  connection.received('CONNECT\naccept-version:1.2\n\n\0');
  await turn();
  await turn();
  expect([wire.error, wire.code]).toEqual(['database-unavailable', 4502]);
});

test('after DISCONNECT nothing is done, and nothing puts off the end', async () => {
  submits = false;
  const { wire, connection } = await connect();
  connection.received('SEND\ndestination:/app/conversations/1\n\n{}\0DISCONNECT\nreceipt:bye\n\n\0');
  for (let n = 0; n < 11; n += 1) {
    await clock.pass(1_000);
    connection.received('DISCONNECT\nreceipt:again\n\n\0UNSUBSCRIBE\nid:x\nreceipt:more\n\n\0');
  }
  const receipts = wire.frames.map((frame) => header(frame, 'receipt-id')).filter((id) => id !== undefined);
  expect([wire.code, ...receipts]).toEqual([1000, 'bye']);
});

test('a node that leaves asks its clients to move, and closes their sockets one after another', async () => {
  const wires = [];
  for (let n = 1; n <= 20; n += 1) {
    const { wire, connection } = await connect(
      `CONNECT\naccept-version:1.2\npasscode:${n}\n\n\0SUBSCRIBE\nid:e\ndestination:/user/queue/events\n\n\0`,
    );
    const close = wire.close;
    wire.close = (code) => {
      close(code);
      connection.closed(code);
    };
    wires.push(wire);
  }
  await gateway.drain(1_000);
  for (const wire of wires) {
    const notice = wire.frames.find((frame) => header(frame, 'subscription') === 'e');
    expect(JSON.parse(notice?.text ?? '{}')).toEqual({
      kind: 'move',
      withinMs: 1_000,
      alternatives: ['wss://there/ws'],
    });
    expect(wire.code).toBe(4500);
  }
  expect(gateway.size).toBe(0);
});
