/** One bar of a group. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly own?: boolean;
}

const WIDTH = 760;
const LEFT = 190;
const ROW = 26;
const GROUP_GAP = 46;

/** Horizontal bars in groups, as an SVG that reads on light and dark pages. */
export function barChart(title: string, unit: string, groups: readonly { name: string; bars: readonly Bar[] }[]): string {
  const max = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const scale = (value: number): number => (value / max) * (WIDTH - LEFT - 90);
  const parts: string[] = [];
  let y = 40;
  for (const { name, bars } of groups) {
    parts.push(text(0, y + 14, name, 'h'));
    y += 24;
    for (const { label, value, own } of bars) {
      parts.push(text(LEFT - 10, y + 16, label, 'l'));
      parts.push(`<rect x="${LEFT}" y="${y + 3}" width="${Math.max(2, scale(value)).toFixed(1)}" height="18" rx="3" class="${own ? 'own' : 'bar'}"/>`);
      parts.push(text(LEFT + scale(value) + 8, y + 16, `${value.toFixed(2)} ${unit}`, 'v'));
      y += ROW;
    }
    y += GROUP_GAP - ROW;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="${title}">
<style>
text{font:13px system-ui,sans-serif;fill:#57606a}.t{font-weight:600;font-size:15px;fill:#24292f}.h{font-weight:600}.l{text-anchor:end}
.bar{fill:#afb8c1}.own{fill:#e0234e}
@media (prefers-color-scheme:dark){text{fill:#9da7b3}.t{fill:#e6edf3}.bar{fill:#484f58}}
</style>
${text(0, 18, title, 't')}
${parts.join('\n')}
</svg>
`;
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${x.toFixed(1)}" y="${y}" class="${style}">${content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
}
