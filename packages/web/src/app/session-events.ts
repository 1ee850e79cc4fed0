import type { ApiError } from '@hvideo/client';
import { createEvent } from '../lib/signal.ts';

/** The server ended the login: revoked elsewhere, expired, suspended. */
export const sessionEnded = createEvent<ApiError>();
