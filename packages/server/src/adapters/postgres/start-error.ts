/**
 * Why the program cannot start, told to the person who started it. Not an `AppError`: nobody asked over the wire.
 * `mend` is one sentence that says what to do about it.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly mend: string;

  constructor(message: string, mend: string, cause?: unknown) {
    super(message, { cause });
    this.mend = mend;
  }
}
