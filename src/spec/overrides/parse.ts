/** The texts of `--set` options → overrides, each located by the option's own text. */
import type { Location, Problem } from '../problems.js';
import { isMapping, type Path } from '../../common/tree.js';
import type { Assignment, Override, Refusal } from './override.js';
import { keyNamesIn, parseTarget, type SpecNames } from './target.js';
import { readValue, type Expected } from './value.js';

type Unlocated<O> = O extends Override ? Omit<O, 'location'> : never;

/** Parses the texts of all `--set` options for a spec and reports all their problems. */
export function parseOverrides(
  texts: readonly string[],
  spec: unknown,
): { overrides: Override[]; problems: Problem[] } {
  const names = keyNamesIn(spec);
  const overrides: Override[] = [];
  const problems: Problem[] = [];
  for (const text of texts) {
    const parsed = parseOverride(text, names);
    if ('message' in parsed) problems.push({ path: '', location: locationOf(text), message: parsed.message });
    else overrides.push({ ...parsed, location: locationOf(text) });
  }
  return { overrides, problems };
}

const locationOf = (text: string): Location => ({ kind: 'option', option: `--set ${text}` });

function parseOverride(text: string, names: SpecNames): Unlocated<Override> | Refusal {
  const equals = text.indexOf('=');
  if (equals <= 0) return { message: 'expected KEY=VALUE, as in --set job.pretrain.epochs=5' };
  const key = text.slice(0, equals).trim();
  const source = text.slice(equals + 1).trim();
  const target = parseTarget(key, source, names);
  if ('message' in target) return target;
  if (source === '') return { message: `no value after ${key}=` };
  const read = readValue(source, target);
  if ('message' in read) return read;
  if (target.kind === 'axis') return { kind: 'axis', section: target.section, key: target.key, value: read.value };
  const assignments = assignmentsOf(target.path, target.node, read.value);
  if (assignments.length > 0) return { kind: 'keys', assignments };
  return { message: `an empty mapping sets no key; write ${key}=null to unset what the file sets there` };
}

/** The keys that a value sets: of a group, only the keys in the value. */
function assignmentsOf(path: Path, node: Expected, value: unknown): Assignment[] {
  if (typeof node === 'object' && node.kind === 'group' && isMapping(value)) {
    return Object.entries(value).flatMap(([key, member]) =>
      assignmentsOf([...path, key], node.children.get(key), member),
    );
  }
  // An unknown key stays in the spec, whose check refuses it.
  return [{ path, value: value === null && node !== undefined ? undefined : value }];
}
