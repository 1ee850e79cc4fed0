import { z } from 'zod';
import { AppError } from './errors.ts';
import { type MacKey, MacKeys } from './mac.ts';

/**
 * Opaque places in a list. A client can neither read a meaning into one nor make one up: what comes back was given out
 * by this server for a list of the same kind, so that decoded values can go into a statement as they are.
 */
export interface CursorCodec {
  encode(kind: string, values: readonly string[]): string;
  /** Errors: `invalid-cursor`, also for a cursor of another kind. */
  decode(kind: string, cursor: string): string[];
}

const Values = z.array(z.string());

/** `keys`: newest first; cursors made with the older ones still hold. */
export function createCursorCodec(keys: readonly MacKey[]): CursorCodec {
  const macs = new MacKeys(keys);
  return {
    encode(kind, values) {
      const text = Buffer.from(JSON.stringify(values)).toString('base64url');
      return `${text}.${macs.sign(`cursor:${kind}`, text)}`;
    },
    decode(kind, cursor) {
      const [text = '', tag = '', ...rest] = cursor.split('.');
      if (rest.length > 0 || !macs.verify(`cursor:${kind}`, text, tag)) throw new AppError('invalid-cursor');
      return Values.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    },
  };
}

/** The first `limit` of `limit + 1` rows, and the cursor after the last of them if there are more. */
export function pageOfRows<Row>(
  rows: readonly Row[],
  limit: number,
  cursorAfter: (last: Row) => string,
): { rows: readonly Row[]; nextCursor: string | null } {
  if (rows.length <= limit) return { rows, nextCursor: null };
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: cursorAfter(page[limit - 1]!) };
}
