/** Text in lines of limited width, as terminals show it. A character counts as one column. */

/** Columns that a text takes, without its colours. */
export const widthOf = (text: string): number => Array.from(text.replaceAll(COLOUR, '')).length;

const COLOUR = /\u001b\[[0-9;]*m/g;

/**
 * Breaks lines at spaces, so that numbers and words stay whole. A word that is longer than a line has one to itself.
 *
 * @param width Columns; Infinity: lines stay as they are.
 * @param indent Spaces before every line that a break makes.
 */
export function wrap(text: string, width: number, indent = 0): string {
  return text
    .split('\n')
    .map((line) => (widthOf(line) <= width ? line : wrapLine(line, width, indent)))
    .join('\n');
}

function wrapLine(line: string, width: number, indent: number): string {
  const lead = /^ */.exec(line)![0];
  const margin = ' '.repeat(Math.min(indent + lead.length, Math.floor(width / 2)));
  const lines: string[] = [];
  let current = lead;
  let empty = true;
  for (const [, gap, word] of line.slice(lead.length).matchAll(/( *)([^ ]+)/g)) {
    const next = empty ? `${current}${word!}` : `${current}${gap!}${word!}`;
    if (!empty && widthOf(next) > width) {
      lines.push(current);
      current = `${margin}${word!}`;
    } else current = next;
    empty = false;
  }
  return [...lines, current].join('\n');
}

/** Shortens a text to a width. A shortened text ends with an ellipsis. */
export function shorten(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${Array.from(text)
    .slice(0, Math.max(0, width - 1))
    .join('')
    .trimEnd()}…`;
}
