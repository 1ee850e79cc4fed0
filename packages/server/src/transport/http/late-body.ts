/** From here on Bun sends what comes late in pieces: its buffer of 16 KiB, less room for the headers. */
export const PIECES_FROM_BYTES = 15 << 10;

/**
 * The body of an answer that comes later than in the turn of its request. Bun 1.4 sends it in one piece when it is short. A
 * longer one it would send in a piece for each name, colon and value of the headers (31 system calls for seven headers, which
 * cost six times as much as all else of a page); as a stream it goes out in two.
 */
export function lateBody(body: string | Uint8Array<ArrayBuffer>): Bun.BodyInit {
  if (body.length * (typeof body === 'string' ? 3 : 1) < PIECES_FROM_BYTES) return body;
  if (typeof body === 'string' && Buffer.byteLength(body) < PIECES_FROM_BYTES) return body;
  // What a stream is made of is read later, when whoever gave it has gone on to other things.
  const kept = typeof body === 'string' ? body : body.slice();
  const source: Bun.DirectUnderlyingSource = {
    type: 'direct',
    pull(controller) {
      controller.write(kept);
      controller.end();
    },
  };
  return new ReadableStream(source);
}
