/**
 * Names rows by a table and the values of some of its columns: `dependency('comments', 'video_id')('7')` stands for all
 * comments of video 7, whether they exist or not. A cache declares with these what its entries are made of; whoever
 * writes the rows knows nothing of it.
 */
export interface Dependency {
  (...key: readonly string[]): string;
  readonly table: string;
  readonly columns: readonly string[];
}

export function dependency(table: string, ...columns: readonly string[]): Dependency {
  const prefix = `${table}:`;
  const name = (...key: readonly string[]) => {
    if (key.length !== columns.length) throw new Error(`${table} is named by ${columns.join(', ')}`);
    return prefix + columns.map((column, index) => `${column}=${key[index]}`).join('&');
  };
  return Object.assign(name, { table, columns });
}
