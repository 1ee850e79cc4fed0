/** A line through points, on two logarithmic axes. */
export interface Line {
  readonly name: string;
  readonly style: 'push' | 'pull' | 'hybrid';
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly xTicks: readonly (readonly [at: number, text: string])[];
  readonly lines: readonly Line[];
  /** Upright lines where something changes. */
  readonly marks?: readonly (readonly [at: number, text: string])[];
  /** In the upper left corner. */
  readonly note?: string;
}

export interface Plot {
  readonly title: string;
  readonly description: string;
  readonly panels: readonly Panel[];
}

const panel = { width: 324, height: 368, left: 58, right: 22, top: 66, bottom: 56 };
const legendHeight = 44;
const margin = 8;

/** Colours follow the reader's scheme, and each line also has a dash of its own. */
const css = `
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#59636e}
.title{font-weight:600;font-size:14.5px;fill:#1f2328}.name{fill:#1f2328}.small{font-size:11.5px}
.back{fill:#fff;stroke:#d8dee4}.grid{stroke:#e4e8ec}.axis{stroke:#8c959f}.mark{stroke:#8c959f;stroke-dasharray:1 3}
.line{fill:none;stroke-linejoin:round;stroke-linecap:round;stroke-width:2}
.push{stroke:#bc4c00;stroke-dasharray:7 4}.pull{stroke:#0969da;stroke-dasharray:1.5 4}.hybrid{stroke:#1a7f37;stroke-width:3}
.dot{stroke-dasharray:none;stroke-width:1.5;fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#9198a1}.title,.name{fill:#e6edf3}.back{fill:#0d1117;stroke:#30363d}.dot{fill:#0d1117}
.grid{stroke:#21262d}.axis,.mark{stroke:#6e7681}.push{stroke:#f0883e}.pull{stroke:#58a6ff}.hybrid{stroke:#3fb950}}`;

export function svgOf({ title, description, panels }: Plot): string {
  const width = panels.length * panel.width + 2 * margin;
  const height = panel.height + legendHeight + 2 * margin;
  const drawn = panels.map((each, at) => {
    return `<g transform="translate(${margin + at * panel.width} ${margin + legendHeight})">${panelOf(each)}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title text">
<title id="title">${escaped(title)}</title><desc id="text">${escaped(description)}</desc>
<style>${css}
</style>
<rect class="back" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${legendOf(width)}
${drawn.join('\n')}
</svg>
`;
}

function legendOf(width: number): string {
  const names = [
    ['push', 'push to every follower'],
    ['pull', 'pull from every followee'],
    ['hybrid', 'hybrid: each edge by its cost'],
  ] as const;
  const each = 236;
  const start = (width - names.length * each) / 2;
  const items = names.map(([style, text], at) => {
    const x = start + at * each;
    return `<path class="line ${style}" d="M${x} 28h34"/>${dot(style, x + 17, 28)}<text class="name" x="${x + 44}" y="32.5">${text}</text>`;
  });
  return items.join('');
}

interface Scale {
  at(value: number): number;
  readonly low: number;
  readonly high: number;
}

function scaleOf(low: number, high: number, from: number, to: number): Scale {
  const [first, last] = [Math.log10(low), Math.log10(high)];
  return { low, high, at: (value) => from + ((Math.log10(value) - first) / (last - first)) * (to - from) };
}

function panelOf({ title, subtitle, xLabel, xTicks, lines, marks = [], note = '' }: Panel): string {
  const points = lines.flatMap((line) => line.points);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [right, bottom] = [panel.width - panel.right, panel.height - panel.bottom];
  const x = scaleOf(Math.min(...xs), Math.max(...xs), panel.left, right);
  const y = scaleOf(floorOf(Math.min(...ys)), ceilingOf(Math.max(...ys)), bottom, panel.top);
  const rows = decades(y).map((value) => {
    const at = round(y.at(value));
    return `<path class="grid" d="M${panel.left} ${at}H${right}"/><text x="${panel.left - 8}" y="${at + 4.5}" text-anchor="end">${short(value)}</text>`;
  });
  const columns = xTicks.map(([value, text]) => {
    const at = round(x.at(value));
    const anchor = at > right - 12 ? 'end' : 'middle';
    return `<path class="axis" d="M${at} ${bottom}v5"/><text x="${anchor === 'end' ? right + 6 : at}" y="${bottom + 20}" text-anchor="${anchor}">${text}</text>`;
  });
  const upright = marks.map(([value, text]) => {
    const at = round(x.at(value));
    return `<path class="mark" d="M${at} ${panel.top}V${bottom}"/><text class="small" x="${at - 5}" y="${bottom - 7}" text-anchor="end">${escaped(text)}</text>`;
  });
  return [
    `<text class="title" x="${panel.left}" y="24">${escaped(title)}</text>`,
    `<text class="small" x="${panel.left}" y="43">${escaped(subtitle)}</text>`,
    ...rows,
    ...upright,
    `<text class="small" x="${panel.left + 8}" y="${panel.top + 16}">${escaped(note)}</text>`,
    `<path class="axis" d="M${panel.left} ${bottom}H${right}"/>`,
    ...columns,
    `<text x="${(panel.left + right) / 2}" y="${bottom + 43}" text-anchor="middle">${escaped(xLabel)}</text>`,
    ...lines.map((line) => lineOf(line, x, y)),
  ].join('\n');
}

function lineOf({ name, style, points }: Line, x: Scale, y: Scale): string {
  const placed = points.map(([px, py]) => [round(x.at(px)), round(y.at(py))] as const);
  const path = placed.map(([px, py]) => `${px} ${py}`).join('L');
  const dots = placed.map(([px, py]) => dot(style, px, py)).join('');
  return `<g><title>${escaped(name)}</title><path class="line ${style}" d="M${path}"/>${dots}</g>`;
}

const dot = (style: string, x: number, y: number): string =>
  `<circle class="${style} dot" cx="${x}" cy="${y}" r="3"/>`;

/** The half of a decade below or above, so that lines fill their panel. */
const floorOf = (value: number): number => 10 ** (Math.floor(2 * Math.log10(value) + 1e-9) / 2);
const ceilingOf = (value: number): number => 10 ** (Math.ceil(2 * Math.log10(value) - 1e-9) / 2);
const round = (value: number): number => Math.round(value * 10) / 10;

function decades({ low, high }: Scale): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, at) => 10 ** (first + at));
}

/** 0.0001, 1, 10k, 1 M. */
export function short(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`;
  return String(Number(value.toPrecision(3)));
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
