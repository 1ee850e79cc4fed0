import { CLOSE_CODES, type CloseCode } from '@hvideo/protocol/stomp';
import { AppError } from '../../kernel/errors.ts';
import type { ConnectionHost, Login } from './host.ts';

/** The credentials that came with the upgrade: checked by then, or being checked. */
export type Credentials = Login | Promise<Login | undefined> | undefined;

/** Why a connection is not let in: of the ERROR frame, and the close. */
export interface Refused {
  readonly code: string;
  readonly detail: string | undefined;
  readonly closeCode: CloseCode;
}

export const unauthenticated: Refused = {
  ...{ code: 'unauthenticated', detail: 'a valid access token is needed' },
  closeCode: CLOSE_CODES.unauthenticated,
};

export const crowded: Refused = {
  ...{ code: 'too-many-connections', detail: 'of this account' },
  closeCode: CLOSE_CODES.tooManyConnections,
};

/** What came with the upgrade, or where that does not hold, with CONNECT. */
export async function loginOf(
  host: ConnectionHost,
  credentials: Credentials,
  passcode: string | undefined,
): Promise<Login | undefined> {
  return (await credentials) ?? (passcode ? await host.login(passcode) : undefined);
}

/** An error on the way in. A fault of ours is logged. */
export function refusedBy(host: ConnectionHost, error: unknown): Refused {
  const known = error instanceof AppError ? error : new AppError('internal', { cause: error });
  const isRefused = known.status === 401 || known.status === 403;
  if (known.status === 500) host.log.error({ err: error }, 'a connection failed');
  const closeCode = isRefused ? CLOSE_CODES.unauthenticated : CLOSE_CODES.overloaded;
  return { code: known.code, detail: known.detail, closeCode };
}
