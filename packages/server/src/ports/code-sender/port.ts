/**
 * Sends a log-in code to a phone.
 *
 * Guarantees: at most once for each call. A code is a secret: an adapter keeps it out of the ordinary log, unless
 * sending to the log is its very purpose (the embedded one).
 * Errors: anything thrown is logged and the caller learns nothing, so that nobody can probe numbers.
 */
export interface CodeSender {
  send(message: {
    phone: string;
    code: string;
    expiresInSeconds: number;
    locale: 'en' | 'zh';
  }): Promise<void>;
}
