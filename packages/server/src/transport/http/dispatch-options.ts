import type { AnyEndpoint } from '@hvideo/protocol';
import type { Logger } from '../../kernel/log.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Occasionally } from '../../kernel/occasionally.ts';
import type { RequestLimits } from './limits.ts';
import type { Viewer } from './route.ts';
import type { Traces } from './traces.ts';

/** What every request of a server is carried with. */
export interface DispatchOptions {
  /** Throws `token-invalid` or `suspended`. */
  readonly authenticate: (token: string) => MaybePromise<Viewer>;
  readonly limits: RequestLimits | undefined;
  readonly publicOrigin: string | undefined;
  /** Whether another site may call, as the settings say. */
  readonly allowsOrigin: (origin: string) => boolean;
  readonly trustedProxies: number;
  readonly log: Logger;
  readonly failures: Occasionally;
  readonly traces: Traces;
  readonly observer: (endpoint: AnyEndpoint) => (status: number, seconds: number) => void;
}
