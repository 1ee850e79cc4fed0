import type { Dependency } from './dependency.ts';

/** A row as the change feed reports it. */
export interface RowChange {
  readonly table: string;
  /** As it was, with at least the columns of the table's replica identity; absent for an insert. */
  readonly before?: Readonly<Record<string, unknown>> | undefined;
  /** As it is; absent for a deletion. */
  readonly after?: Readonly<Record<string, unknown>> | undefined;
}

/** Knows by which names the definitions call the rows of each table. */
export class RowRegistry {
  readonly #byTable = new Map<string, Map<string, Dependency>>();

  add(dependencies: readonly Dependency[]): void {
    for (const dependency of dependencies) {
      const { table, columns } = dependency;
      const byColumns = this.#byTable.get(table) ?? new Map<string, Dependency>();
      byColumns.set(columns.join(','), dependency);
      this.#byTable.set(table, byColumns);
    }
  }

  watched(): ReadonlyMap<string, readonly (readonly string[])[]> {
    return new Map(
      [...this.#byTable].map(([table, byColumns]) => [table, [...byColumns.values()].map((d) => d.columns)]),
    );
  }

  /** All names of the changed rows, before and after. */
  rowsOf(changes: readonly RowChange[]): string[] {
    const rows = new Set<string>();
    for (const { table, before, after } of changes) {
      for (const dependency of this.#byTable.get(table)?.values() ?? []) {
        const names = [nameOf(dependency, before), nameOf(dependency, after)].filter(
          (name) => name !== undefined,
        );
        if (names.length === 0) {
          throw new Error(`a change of ${table} does not tell ${dependency.columns.join(', ')}`);
        }
        for (const name of names) rows.add(name);
      }
    }
    return [...rows];
  }
}

function nameOf(
  dependency: Dependency,
  row: Readonly<Record<string, unknown>> | undefined,
): string | undefined {
  const key: string[] = [];
  for (const column of dependency.columns) {
    const value = row?.[column];
    if (value === undefined) return undefined;
    key.push(String(value));
  }
  return dependency(...key);
}
