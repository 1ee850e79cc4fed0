/**
 * Delivery: how what was committed reaches the devices that are there.
 *
 *     const delivery = await Delivery.open({ clock, random, log, messages, conversations, devices, routes, bus, nodeName, checkpoints });
 *     delivery.committed(messages) / .events(events) / .mark(mark)    // from whoever commits
 *     const attachment = delivery.attach(device, listener)           // a connection
 *     await attachment.open('client')
 */
export { Delivery } from './delivery.ts';
export { type Head, Notice, type NoticeContent, Run, type Style } from './shared.ts';
export type { AckMode, Attachment, Checkpoints, DeliveryDeps, DownlinkListener } from './types.ts';
export { AFTER_GAP, GAP_ABOVE, MARKS_UP_TO_MEMBERS, MAX_UNACKNOWLEDGED } from './types.ts';
