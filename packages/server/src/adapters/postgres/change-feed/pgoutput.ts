import type { Row, RowChange } from '../../../ports/change-feed/port.ts';
import { type ReadText, readerOf } from './values.ts';

/** What becomes of the messages of one stream, in their order. */
export interface PgOutputSink {
  begin(xid: number, commitLsn: bigint, committedAtMs: number): void;
  /** `bytes`: length of its message. */
  change(change: RowChange, bytes: number): void;
  commit(endLsn: bigint): void;
}

interface Column {
  readonly name: string;
  readonly isKey: boolean;
  readonly read: ReadText | undefined;
}

interface Relation {
  readonly table: string;
  readonly columns: readonly Column[];
  readonly keys: readonly Column[];
}

const [BEGIN, COMMIT, RELATION, INSERT, UPDATE, DELETE, TRUNCATE] = [66, 67, 82, 73, 85, 68, 84];
/** Of a tuple: the old row as a whole, the old row's key, the new row. */
const [OLD, KEY, NEW] = [79, 75, 78];
/** Of a value: text, NULL, unchanged and stored elsewhere. */
const [TEXT, NULL] = [116, 110];

/** Milliseconds from 1970 to 2000, where PostgreSQL's timestamps start. */
const POSTGRES_EPOCH_MS = 946_684_800_000;

/**
 * Reads the messages of `pgoutput`, protocol version 1 with text values (PostgreSQL manual, 54.9 "Logical Replication
 * Message Formats"). A message is read completely before `read` returns: its buffer may be used again.
 */
export class PgOutputReader {
  readonly #relations = new Map<number, Relation>();
  readonly #sink: PgOutputSink;
  #buffer: Buffer = Buffer.alloc(0);
  #at = 0;
  #ordinal = 0;

  constructor(sink: PgOutputSink) {
    this.#sink = sink;
  }

  read(buffer: Buffer, at: number): void {
    this.#buffer = buffer;
    this.#at = at + 1;
    switch (buffer[at]) {
      case BEGIN:
        this.#ordinal = 0;
        this.#sink.begin(
          buffer.readUInt32BE(at + 17),
          buffer.readBigUInt64BE(at + 1),
          Number(buffer.readBigInt64BE(at + 9)) / 1000 + POSTGRES_EPOCH_MS,
        );
        break;
      case COMMIT:
        this.#sink.commit(buffer.readBigUInt64BE(at + 10));
        break;
      case RELATION:
        this.#readRelation();
        break;
      case INSERT:
        this.#insert(this.#relation());
        break;
      case UPDATE:
        this.#update(this.#relation());
        break;
      case DELETE:
        this.#delete(this.#relation());
        break;
      case TRUNCATE:
        this.#truncate();
        break;
      // Types, origins and logical messages tell nothing about rows.
    }
  }

  #emit(
    { table }: Relation,
    operation: RowChange['operation'],
    before: Row | undefined,
    after: Row | undefined,
  ): void {
    const change = { table, operation, before, after, ordinal: this.#ordinal++ };
    this.#sink.change(change, this.#buffer.length);
  }

  #insert(relation: Relation): void {
    this.#at += 1;
    this.#emit(relation, 'insert', undefined, this.#tuple(relation.columns));
  }

  #update(relation: Relation): void {
    const kind = this.#buffer[this.#at++];
    if (kind === NEW) {
      // The key has not changed, so the new row tells it.
      const after = this.#tuple(relation.columns);
      const before: Record<string, unknown> = {};
      for (const { name } of relation.keys) before[name] = after[name];
      this.#emit(relation, 'update', before, after);
      return;
    }
    const before = this.#oldTuple(relation, kind);
    this.#at += 1;
    const after = this.#tuple(relation.columns, before);
    this.#emit(relation, 'update', before, after);
  }

  #delete(relation: Relation): void {
    const kind = this.#buffer[this.#at++];
    this.#emit(relation, 'delete', this.#oldTuple(relation, kind), undefined);
  }

  /** Of a key tuple only the key's columns mean anything; the others are sent as NULL. */
  #oldTuple(relation: Relation, kind: number | undefined): Record<string, unknown> {
    if (kind !== OLD && kind !== KEY) throw new Error(`pgoutput: unknown tuple ${kind}`);
    const tuple = this.#tuple(relation.columns);
    if (kind === OLD) return tuple;
    const key: Record<string, unknown> = {};
    for (const { name } of relation.keys) key[name] = tuple[name];
    return key;
  }

  /** What is stored elsewhere and has not changed is taken from `old`, or else left out. */
  #tuple(columns: readonly Column[], old?: Row): Record<string, unknown> {
    const buffer = this.#buffer;
    const row: Record<string, unknown> = {};
    let at = this.#at + 2;
    for (const { name, read } of columns) {
      const kind = buffer[at++];
      if (kind === TEXT) {
        const length = buffer.readUInt32BE(at);
        at += 4;
        const text = buffer.toString('utf8', at, at + length);
        row[name] = read ? read(text) : text;
        at += length;
      } else if (kind === NULL) row[name] = null;
      else if (old && name in old) row[name] = old[name];
    }
    this.#at = at;
    return row;
  }

  #truncate(): void {
    const count = this.#buffer.readUInt32BE(this.#at);
    for (let index = 0; index < count; index++) {
      const id = this.#buffer.readUInt32BE(this.#at + 5 + 4 * index);
      this.#emit(this.#known(id), 'truncate', undefined, undefined);
    }
  }

  #relation(): Relation {
    const id = this.#buffer.readUInt32BE(this.#at);
    this.#at += 4;
    return this.#known(id);
  }

  #known(id: number): Relation {
    const relation = this.#relations.get(id);
    if (!relation) throw new Error(`pgoutput: relation ${id} was not described`);
    return relation;
  }

  #readRelation(): void {
    const buffer = this.#buffer;
    const id = buffer.readUInt32BE(this.#at);
    this.#at += 4;
    this.#text();
    const table = this.#text();
    const count = buffer.readUInt16BE(this.#at + 1);
    this.#at += 3;
    const columns: Column[] = [];
    for (let index = 0; index < count; index++) {
      const isKey = (buffer[this.#at++] ?? 0) === 1;
      const name = this.#text();
      columns.push({ name, isKey, read: readerOf(buffer.readUInt32BE(this.#at)) });
      this.#at += 8;
    }
    this.#relations.set(id, { table, columns, keys: columns.filter(({ isKey }) => isKey) });
  }

  #text(): string {
    const end = this.#buffer.indexOf(0, this.#at);
    const text = this.#buffer.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }
}
