/**
 * STOMP over WebSocket.
 *
 *     const gateway = new Gateway({ clock, random, log, chat, authenticate, endedOf, rpc, hasLimits, version, node });
 *     gateway.upgrade(request, address, rules).connection.opened(socket) / .received(data) / .drained() / .closed(code)
 *     await gateway.drain(withinMs)
 */
export { Connection } from './connection.ts';
export { Gateway, type GatewayDeps } from './gateway.ts';
export type { GatewayChat } from './host.ts';
export { SocketRpc } from './rpc.ts';
