// Goodput over time as an SVG that is readable on light and on dark ground, without fonts of its own. Pure.

const PANEL = { width: 440, height: 250, left: 46, top: 58, gap: 42 };
const PLAIN = ['#57606a', '', 1.4];

/** Colours that keep 3:1 on white and on black, a dash for who cannot tell them, and a width. */
const LINES = {
  nothing: ['#8a8f98', '2 3', 1.6],
  'naive retry': ['#d9534f', '7 3', 1.6],
  cockatiel: ['#b07d12', '5 2 1 2', 1.6],
  'cockatiel tuned': ['#b07d12', '1 2', 1.6],
  opossum: ['#9467bd', '9 3 2 3', 1.6],
  'opossum tuned': ['#9467bd', '2 2', 1.6],
  ours: ['#1f8a70', '', 2.6],
  'ours tuned': ['#2f7fd6', '', 1.6],
};

/**
 * `shown` are seconds around the end of the fault.
 *
 * @param panels `{ title, shown: { from, to }, arrivals, longest, lines: { [contender]: good answers of each second shown } }`
 */
export function pictureOf(panels) {
  const { width, height, left, top, gap } = PANEL;
  const names = Object.keys(panels[0].lines);
  const total = left + panels.length * width + (panels.length - 1) * gap + 14;
  const legendTop = top + height + 46;
  const rows = Math.ceil(names.length / 4);
  const parts = panels.map((panel, i) => panelOf(panel, left + i * (width + gap)));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${legendTop + rows * 22 + 6}" role="img" aria-label="Goodput over time: ${panels.map((p) => p.title).join('; ')}">
<style>
  text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
  .axis { stroke: #57606a; stroke-width: 1; fill: none }
  .grid { stroke: #57606a; stroke-opacity: .22 }
  .fault { fill: #57606a; fill-opacity: .16 }
  .small { font-size: 11px }
  .head { font-size: 14px; font-weight: 600 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .axis, .grid { stroke: #9da7b3 } .fault { fill: #9da7b3; fill-opacity: .2 } }
</style>
${parts.join('\n')}
${legendOf(names, left, legendTop)}
</svg>
`;
}

function panelOf({ title, shown, arrivals, longest, lines }, x0) {
  const { width, height, top } = PANEL;
  const highest = Math.max(arrivals * 1.15, ...Object.values(lines).flat());
  const most = Math.ceil(highest / 50) * 50;
  const x = (second) => round(x0 + ((second - shown.from) / (shown.to - shown.from)) * width);
  const y = (good) => round(top + height - (good / most) * height);
  const grid = steps(most).map(
    (value) =>
      `<path class="grid" d="M${x0} ${y(value)}h${width}"/><text class="small" text-anchor="end" x="${x0 - 6}" y="${y(value) + 4}">${value}</text>`,
  );
  const ticks = [-20, -10, 0, 10, 20, 30, 40, 50]
    .filter((s) => s >= shown.from && s <= shown.to)
    .map(
      (s) =>
        `<text class="small" text-anchor="middle" x="${x(s)}" y="${top + height + 16}">${s} s</text>`,
    );
  const paths = Object.entries(lines).map(([name, line]) => {
    const [colour, dash, stroke] = LINES[name] ?? PLAIN;
    const points = line.map((good, i) => `${x(shown.from + i + 0.5)} ${y(good)}`).join('L');
    return `<path d="M${points}" fill="none" stroke="${colour}" stroke-width="${stroke}"${dash && ` stroke-dasharray="${dash}"`} stroke-linejoin="round"><title>${name}</title></path>`;
  });
  const from = x(Math.max(shown.from, -longest));
  return [
    `<text class="head" x="${x0}" y="20">${title}</text>`,
    `<text class="small" x="${x0}" y="38">good answers to ${Math.round(arrivals)} calls per second; 0 s: the fault is over</text>`,
    `<rect class="fault" x="${from}" y="${top}" width="${round(x(0) - from)}" height="${height}"/>`,
    ...grid,
    `<path class="axis" d="M${x0} ${top}v${height}h${width}"/>`,
    ...ticks,
    ...paths,
  ].join('\n');
}

const round = (value) => Math.round(value * 10) / 10;
const steps = (most) => {
  const step = most > 300 ? 100 : 50;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
};

function legendOf(names, left, top) {
  return names
    .map((name, i) => {
      const [colour, dash, stroke] = LINES[name] ?? PLAIN;
      const x = left + (i % 4) * 220;
      const y = top + Math.floor(i / 4) * 22;
      return `<path d="M${x} ${y - 4}h34" stroke="${colour}" stroke-width="${stroke}"${dash && ` stroke-dasharray="${dash}"`}/><text x="${x + 42}" y="${y}">${name}</text>`;
    })
    .join('\n');
}
