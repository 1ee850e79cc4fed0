import type { Accounts } from '../features/accounts/index.ts';
import type { Logger } from '../kernel/log.ts';
import type { Bus } from '../ports/bus/port.ts';

export interface EndedLoginsDeps {
  readonly authentication: Pick<Accounts['authentication'], 'onForgotten'>;
  readonly bus: Bus;
  readonly log: Logger;
}

const TOPIC = 'ended-logins';
const maxTold = 10_000;

/** Wherever logins are ended, those processes hear of it that hold their sockets; without that, within a minute by themselves. */
export class EndedLogins implements AsyncDisposable {
  readonly #deps: EndedLoginsDeps;
  #listening: AsyncDisposable | undefined;
  onEnded: ((sessionIds: readonly string[]) => void) | undefined;

  private constructor(deps: EndedLoginsDeps) {
    this.#deps = deps;
  }

  /** Rejects when the bus cannot be reached. */
  static async open(deps: EndedLoginsDeps): Promise<EndedLogins> {
    const logins = new EndedLogins(deps);
    logins.#listening = await deps.bus.subscribe(TOPIC, {
      onMessage: (message) => logins.onEnded?.(JSON.parse(new TextDecoder().decode(message))),
      onGap: () => undefined,
    });
    deps.authentication.onForgotten = (sessionIds) => logins.#tell(sessionIds);
    return logins;
  }

  #tell(sessionIds: readonly string[]): void {
    const { bus, log } = this.#deps;
    this.onEnded?.(sessionIds);
    const message = new TextEncoder().encode(JSON.stringify(sessionIds.slice(0, maxTold)));
    bus.publish(TOPIC, message).catch((error: unknown) => {
      log.debug({ err: error }, 'other nodes were not told of ended logins');
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#deps.authentication.onForgotten = undefined;
    await this.#listening?.[Symbol.asyncDispose]();
  }
}
