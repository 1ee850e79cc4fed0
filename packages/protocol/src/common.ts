import { z } from 'zod';

/** A 63-bit number as a decimal string: JavaScript's numbers are too small for it. */
export const Id = z
  .string()
  .regex(/^[1-9][0-9]{0,18}$/, { error: 'must be a decimal id', abort: true })
  // Aborted above: a refinement runs in spite of earlier issues otherwise, and BigInt throws.
  .refine((id) => BigInt(id) <= 9223372036854775807n, 'must be a decimal id')
  .meta({ id: 'Id', description: 'Decimal id of up to 63 bits' });
export type Id = z.infer<typeof Id>;

export const Timestamp = z.iso.datetime().meta({ id: 'Timestamp', description: 'RFC 3339, in UTC' });

/** RFC 9457. `code` is stable; `title` and `detail` are for people. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    detail: z.string().optional(),
    instance: z.string().optional(),
    fields: z.record(z.string(), z.string()).optional(),
    /** `unknown`: the change may have happened. */
    outcome: z.enum(['not-applied', 'unknown']),
    traceId: z.string().optional(),
    /** Of `out-of-turn`: where the chain goes on, and the id of the message before; null: there is none, or it was refused. */
    expectedClientSeq: z.int().optional(),
    expectedPreId: z.string().nullable().optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

export const PAGE_LIMIT_DEFAULT = 20;
export const PAGE_LIMIT_MAX = 100;

export const PageQuery = z.object({
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT),
});
export type PageQuery = z.infer<typeof PageQuery>;

export interface Page<Item> {
  items: Item[];
  /** Opaque; null at the end. */
  nextCursor: string | null;
}

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** Text that people write: trimmed, without NUL, lone surrogates or control characters other than line breaks. */
export const text = (min: number, max: number) =>
  z
    .string()
    .max(max * 4)
    .transform((value) => value.normalize('NFC').replace(/\r\n?/g, '\n').trim())
    .refine(
      (value) => [...value].length >= min && [...value].length <= max,
      `must have ${min} to ${max} characters`,
    )
    .refine((value) => value.isWellFormed() && /^(?:\n|\P{Cc})*$/u.test(value), 'holds control characters');

export const Locale = z.enum(['en', 'zh']);
export type Locale = z.infer<typeof Locale>;
