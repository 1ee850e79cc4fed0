export * from './close-codes.ts';
export * from './decoder.ts';
export { EOL, encodeFrame } from './encoder.ts';
export * from './fault.ts';
export * from './frame.ts';
export * from './heart-beat.ts';
export * from './limits.ts';
export * from './message.ts';
export * from './versions.ts';
