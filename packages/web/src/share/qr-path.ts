const finderSize = 7;
/** Of the width, kept free for the mark: about a twentieth of the area, far below what the code can make up for. */
const holeShare = 0.21;

/** The three squares in the corners by which a camera finds the code. */
function isFinder(x: number, y: number, size: number): boolean {
  const isNear = (at: number) => at < finderSize;
  const isFar = (at: number) => at >= size - finderSize;
  return (isNear(x) && (isNear(y) || isFar(y))) || (isFar(x) && isNear(y));
}

const square = (x: number, y: number, size: number, radius: number) =>
  `M${x + radius} ${y}h${size - 2 * radius}a${radius} ${radius} 0 0 1 ${radius} ${radius}v${size - 2 * radius}` +
  `a${radius} ${radius} 0 0 1 ${-radius} ${radius}h${-(size - 2 * radius)}a${radius} ${radius} 0 0 1 ${-radius} ${-radius}` +
  `v${-(size - 2 * radius)}a${radius} ${radius} 0 0 1 ${radius} ${-radius}z`;

const finder = (x: number, y: number) =>
  square(x, y, 7, 2) + square(x + 1, y + 1, 5, 1.2) + square(x + 2, y + 2, 3, 0.9);

/** The code as one path, with soft modules and a place for the mark in its middle; filled by the even-odd rule. */
export function qrPath(modules: readonly (readonly boolean[])[]): string {
  const size = modules.length;
  const middle = (size - 1) / 2;
  const reach = (size * holeShare) / 2;
  const parts = [finder(0, 0), finder(size - finderSize, 0), finder(0, size - finderSize)];
  modules.forEach((row, y) => {
    row.forEach((isDark, x) => {
      const isHole = Math.abs(x - middle) <= reach && Math.abs(y - middle) <= reach;
      if (isDark && !isHole && !isFinder(x, y, size)) parts.push(square(x + 0.04, y + 0.04, 0.92, 0.34));
    });
  });
  return parts.join('');
}
