/**
 * The process that paints: `bun painter.ts ORDER`, an order as JSON. It ends with its order, with SIGTERM, or when
 * nobody holds the other end of its standard input any more.
 */
import { constants, setPriority } from 'node:os';
import { z } from 'zod';
import { clipOf } from '../clips/catalogue.ts';
import { paintAvatars } from '../people/avatars.ts';
import { filmClip } from './film.ts';

const Order = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('clip'),
    key: z.string(),
    folder: z.string(),
    output: z.string(),
    ffmpeg: z.string(),
    urgent: z.boolean(),
  }),
  z.object({ kind: z.literal('avatars'), usernames: z.array(z.string()), folder: z.string() }),
]);

const order = Order.parse(JSON.parse(process.argv[2] ?? 'null'));
const stopping = new AbortController();
const stop = () => stopping.abort(new Error('nobody waits for this picture'));
process.on('SIGTERM', stop);
process.stdin.on('end', stop);
process.stdin.on('error', stop);
process.stdin.resume();
// Its own children inherit it.
if (order.kind !== 'clip' || !order.urgent) setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

if (order.kind === 'clip') await filmClip({ ...order, clip: clipOf(order.key), signal: stopping.signal });
else await paintAvatars(order.usernames, order.folder, stopping.signal);
process.exit(0);
