import type { Sprite } from '@hvideo/protocol';

export interface SpriteTile {
  /** Pixels from the sheet's left and top edge. */
  readonly x: number;
  readonly y: number;
}

/** Where on the sheet the still for a moment is. */
export function spriteTile(sprite: Sprite, timeMs: number): SpriteTile {
  const last = Math.max(0, sprite.count - 1);
  const at = Math.min(last, Math.max(0, Math.floor(timeMs / sprite.intervalMs)));
  return {
    x: (at % sprite.columns) * sprite.tileWidth,
    y: Math.floor(at / sprite.columns) * sprite.tileHeight,
  };
}
