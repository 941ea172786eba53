/** The value of `--set KEY=VALUE`, read as its key expects it. */
import { isTextValued, type KeyNode } from '../keys.js';
import { isMapping, valueAt } from '../../common/tree.js';
import { parseYamlValue } from '../yaml.js';
import { UNSET, type Refusal } from './override.js';
import type { Target } from './target.js';

/**
 * Reads a value. If the key expects text, the value is the text as written, so `imgs/ds #1`, `007` and `~` can be names
 * of folders. For all other keys it is YAML. undefined unsets the key.
 */
export function readValue(source: string, target: Target): { value: unknown } | Refusal {
  if (source === UNSET) return { value: undefined };
  const { node } = target;
  const isAxis = target.kind === 'axis' || target.isAxis === true;
  if (expectsText(node) && !(isAxis && source.startsWith('['))) return { value: unquote(source) };
  const parsed = parseYamlValue(source);
  if ('reason' in parsed) return { message: `the value is not valid YAML: ${parsed.reason}` };
  const { value, text } = parsed;
  if (value === null) return { value: undefined };
  if (!isAxis || !Array.isArray(value) || !Array.isArray(text)) return { value: asExpected(node, value, text) };
  return { value: value.map((item: unknown, index) => asExpected(node, item, text[index])) };
}

/** The value that a key expects: a value of the key's schema, text, or any value of YAML. */
export type Expected = KeyNode | 'text' | 'value' | undefined;

const expectsText = (node: Expected): boolean =>
  node === 'text' || (typeof node === 'object' && node.kind === 'leaf' && isTextValued(node));

/** Text in quotes, as YAML has it, without them; any other text as it is. */
function unquote(source: string): string {
  if (!/^["']/.test(source)) return source;
  const parsed = parseYamlValue(source);
  return 'value' in parsed && typeof parsed.value === 'string' ? parsed.value : source;
}

/** A value of YAML in which scalars of keys that expect text are text. Plain `null` stays null. */
function asExpected(node: Expected, value: unknown, text: unknown): unknown {
  if (isMapping(value) && isMapping(text)) {
    const children = typeof node === 'object' && node.kind === 'group' ? node.children : undefined;
    const members = Object.entries(value).map(([key, member]) => [
      key,
      asExpected(children?.get(key), member, valueAt(text, [key])),
    ]);
    return Object.fromEntries(members) as unknown;
  }
  const isNull = value === null && (text === UNSET || text === '');
  return expectsText(node) && typeof text === 'string' && !isNull ? text : value;
}
