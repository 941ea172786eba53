/**
 * Text from a spec, a results folder or another program, made safe to show. Control characters can move the cursor, set
 * the title of a terminal, or show text in another order than it is read. Every place that puts text out, a door, uses
 * one of these functions, and then escapes what its own format gives a meaning to (docs/security.md).
 */

/**
 * C0 but for line ends and tabs, DEL, C1; marks that reorder text, separators of lines and of paragraphs, and
 * annotations, none of which can be seen.
 */
const UNSEEN = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with control characters as `\u001b`; its lines and tabs stay. */
export function printable(text: string): string {
  return text.replace(UNSEEN, escaped);
}

/** The same in one line: line ends and tabs become spaces. */
export function inOneLine(text: string): string {
  return printable(text.replace(/\s*(?:\r\n|[\n\r\t])\s*/g, ' '));
}

/** A value as one line of JSON. JSON itself escapes C0 only; the value that a reader gets stays the same. */
export function jsonLine(value: unknown): string {
  return printable(JSON.stringify(value));
}
