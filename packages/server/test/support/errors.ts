import { AppError } from '../../src/kernel/errors.ts';

/** The code with which a call is refused, or "none"; anything that is not a refusal is thrown on. */
export async function codeOf(call: PromiseLike<unknown>): Promise<string> {
  try {
    await call;
    return 'none';
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
