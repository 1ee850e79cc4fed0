export interface OutputOptions {
  readonly json?: boolean;
}

/** Writes a command's result to standard output: a sentence for people, or one line of JSON for programs. */
export function print(options: OutputOptions, result: unknown, sentence: string): void {
  process.stdout.write(`${options.json ? JSON.stringify(result) : sentence}\n`);
}
