/**
 * A closed loop of keep-alive connections that each send one request and wait for its answer, written on bare sockets
 * so that the load costs less than the server under test.
 */
export interface HttpLoad {
  readonly hostname: string;
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
}

/** Requests per second that were answered with 200. */
export async function measureHttp(load: HttpLoad): Promise<{ requestsPerSecond: number; failures: number }> {
  const headers = Object.entries(load.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(
    `GET ${load.path} HTTP/1.1\r\nhost: ${load.hostname}:${load.port}\r\n${headers.join('')}\r\n`,
  );
  const state = { answered: 0, failures: 0, running: true };
  const sockets = await Promise.all(
    Array.from({ length: load.connections }, () => connect(load, request, state)),
  );
  const warmUpSeconds = Math.min(1, load.seconds / 4);
  await Bun.sleep(warmUpSeconds * 1000);
  state.answered = 0;
  const startedAtMs = performance.now();
  await Bun.sleep(load.seconds * 1000);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const { answered } = state;
  state.running = false;
  for (const socket of sockets) socket.end();
  return { requestsPerSecond: Math.round(answered / seconds), failures: state.failures };
}

interface Answer {
  pending: Buffer;
}

function connect(
  load: HttpLoad,
  request: Buffer,
  state: { answered: number; failures: number; running: boolean },
) {
  return Bun.connect<Answer>({
    hostname: load.hostname,
    port: load.port,
    socket: {
      open(socket) {
        socket.data = { pending: Buffer.alloc(0) };
        socket.write(request);
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
        if (bytes.subarray(9, 12).toString('latin1') === '200') state.answered += 1;
        else state.failures += 1;
        if (state.running) socket.write(request);
      },
    },
  });
}

/** Size of head and body, once the head is there. Chunked answers are not for benchmarks. */
function answerBytes(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const length = /content-length: (\d+)/i.exec(bytes.subarray(0, end).toString('latin1'))?.[1];
  if (length === undefined) throw new Error('the server sent no content-length');
  return end + 4 + Number(length);
}
