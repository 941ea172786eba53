/**
 * HTML and SVG as text that cannot be forgotten to be escaped: values in a `markup` template are escaped,
 * unless it is markup itself.
 */

import { printable } from '../../common/printable.js';

/** Text that is markup already. Created only by {@link markup} and {@link trusted}. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: null and false leave nothing, lists are joined. */
export type Content = string | number | Markup | null | false | readonly Content[];

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** For text and for attributes in quotes. */
export function escapeMarkup(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A template whose values are escaped. */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.map((part, i) => part + (i < values.length ? render(values[i]!) : '')).join(''));
}

/** Text of our own that goes in as it is, such as the style sheet; never what a user wrote. */
export const trusted = (text: string): Markup => new Markup(text);

function render(value: Content): string {
  if (value === null || value === false) return '';
  if (value instanceof Markup) return value.text;
  if (typeof value === 'object') return value.map(render).join('');
  return escapeMarkup(String(value));
}
