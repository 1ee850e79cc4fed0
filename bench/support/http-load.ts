/**
 * A closed loop of keep-alive connections that each send one request and wait for its answer, written on bare sockets
 * so that the load costs less than the server under test.
 */
export interface HttpLoad {
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What a connection sends as its next request, in place of GET `path`; headers stay apart for each. */
  readonly choose?: (connection: number, turn: number) => ChosenRequest;
  readonly connections: number;
  readonly seconds: number;
}

export interface ChosenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Before it counts. */
export const warmUpSecondsOf = ({ seconds }: Pick<HttpLoad, 'seconds'>): number => Math.min(1, seconds / 4);

/** Requests per second that were answered with 200 or 204. */
export async function measureHttp(load: HttpLoad): Promise<{ requestsPerSecond: number; failures: number }> {
  const usual = bytesOf(load, { method: 'GET', path: load.path, headers: load.headers ?? {} });
  const requestsOf = (connection: number): (() => Buffer) => {
    const { choose } = load;
    if (!choose) return () => usual;
    let turn = 0;
    const made = new Map<ChosenRequest, Buffer>();
    return () => {
      const request = choose(connection, turn++);
      const bytes = made.get(request) ?? bytesOf(load, request);
      made.set(request, bytes);
      return bytes;
    };
  };
  const state = { answered: 0, failures: 0, running: true };
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, (_, at) => connect(load, requestsOf(at), state)),
  );
  await Bun.sleep(warmUpSecondsOf(load) * 1000);
  state.answered = 0;
  const startedAtMs = performance.now();
  await Bun.sleep(load.seconds * 1000);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { answered } = state;
  state.running = false;
  for (const socket of sockets) socket.end();
  return { requestsPerSecond: Math.round(answered / seconds), failures: state.failures };
}

function bytesOf({ hostname, port }: HttpLoad, { method, path, headers }: ChosenRequest): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n${lines.join('')}\r\n`);
}

interface Answer {
  pending: Buffer;
}

function connect(
  load: HttpLoad,
  next: () => Buffer,
  state: { answered: number; failures: number; running: boolean },
) {
  return Bun.connect<Answer>({
    hostname: load.hostname,
    port: load.port,
    socket: {
      open(socket) {
        socket.data = { pending: Buffer.alloc(0) };
        socket.write(next());
      },
      data(socket, chunk) {
        const { pending } = socket.data;
        const bytes = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
        const size = answerBytes(bytes);
        if (size === undefined || bytes.length < size) {
          socket.data.pending = Buffer.from(bytes);
          return;
        }
        socket.data.pending = Buffer.alloc(0);
        const status = bytes.subarray(9, 12).toString('latin1');
        if (status === '200' || status === '204') state.answered += 1;
        else state.failures += 1;
        if (state.running) socket.write(next());
      },
    },
  });
}

/** Size of head and body, once they can be told. */
function answerBytes(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.subarray(0, end).toString('latin1');
  if (head.startsWith('204', 9)) return end + 4;
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return length === undefined ? chunkedEnd(bytes, end + 4) : end + 4 + Number(length);
}

/** Where a body in chunks ends: each is its size in hexadecimal, a line end, the bytes, a line end; the last is empty. */
function chunkedEnd(bytes: Buffer, start: number): number | undefined {
  for (let at = start; ; ) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    at = line + 2 + size + 2;
    if (size === 0) return at;
    if (at >= bytes.length) return undefined;
  }
}
