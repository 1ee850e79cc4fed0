import type { Clock } from '../../../kernel/clock.ts';
import type { Random } from '../../../kernel/random.ts';
import type { Device } from '../../../ports/device-store/port.ts';
import { Attached, type AttachedDeps } from './attached.ts';
import { Downlink, type DownlinkDeps } from './downlink.ts';
import type { Outbound } from './outbound.ts';
import type { Presence } from './presence.ts';
import type { Attachment, DownlinkListener } from './types.ts';
import type { Takeover } from './wire.ts';

/** Clocks of nodes differ by less, and no message is on its way for longer: what came before is older, whatever it was stamped. */
const certainAfterMs = 60_000;

export interface AttachedDevicesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly presence: Presence;
  readonly outbound: Pick<Outbound, 'takeovers'>;
  readonly attached: Omit<AttachedDeps, 'detached' | 'presence'>;
  readonly downlink: Omit<DownlinkDeps, 'departed'>;
}

/** The devices that are connected here. Of connections of one device the newest stays, wherever they are. */
export class AttachedDevices {
  readonly #deps: AttachedDevicesDeps;
  readonly #attachedDeps: AttachedDeps;
  readonly #downlinkDeps: DownlinkDeps;
  readonly #devices = new Map<string, Attached>();

  constructor(deps: AttachedDevicesDeps) {
    this.#deps = deps;
    this.#attachedDeps = {
      ...{ ...deps.attached, presence: deps.presence },
      detached: (attached) => {
        const { id } = attached.device;
        if (this.#devices.get(id) === attached) this.#devices.delete(id);
      },
    };
    this.#downlinkDeps = {
      ...deps.downlink,
      departed: ({ id }, conversationId) => this.#devices.get(id)?.departed(conversationId),
    };
  }

  get size(): number {
    return this.#devices.size;
  }

  get(deviceId: string): Attached | undefined {
    return this.#devices.get(deviceId);
  }

  all(): Attached[] {
    return [...this.#devices.values()];
  }

  /** An older connection of the device is displaced, here at once, on other nodes when they hear of it. */
  attach(device: Device, listener: DownlinkListener): Attachment {
    const { clock, outbound, presence, random } = this.#deps;
    this.#devices.get(device.id)?.displace();
    const downlink = new Downlink(device, listener, this.#downlinkDeps);
    const attached = new Attached(downlink, this.#attachedDeps, {
      ...{ stampMs: clock.nowMs(), chance: random.integer(2 ** 40), attachedMs: clock.monotonicMs() },
    });
    this.#devices.set(device.id, attached);
    presence.add(downlink);
    // Otherwise when others find this node for the account, so that theirs is told here as well.
    if (!presence.registered(device.accountId)) outbound.takeovers([attached.takeover]);
    return attached;
  }

  /** A device has connected elsewhere. Of connections of the same minute the one with the later stamp stays. */
  giveWay({ deviceId, stamp }: Takeover): void {
    const attached = this.#devices.get(deviceId);
    if (!attached) return;
    const isOld = this.#deps.clock.monotonicMs() - attached.attachedMs > certainAfterMs;
    const [ownMs, ownChance] = attached.takeover.stamp;
    const isSmaller = ownMs === stamp[0] ? ownChance < stamp[1] : ownMs < stamp[0];
    if (isOld || isSmaller) attached.displace();
    // The other node has not heard of this one: it was told while it could not be found.
    else this.#deps.outbound.takeovers([attached.takeover]);
  }

  /** Other nodes find this one for these accounts from now on. */
  found(accountIds: readonly string[]): void {
    const { outbound, presence } = this.#deps;
    const devices = accountIds.flatMap((id) => presence.downlinksOf(id).map(({ device }) => device));
    outbound.takeovers(devices.flatMap(({ id }) => this.#devices.get(id)?.takeover ?? []));
  }
}
