/**
 * YAML text → a plain value, with the line of every key and item. The meaning of keys is not checked here.
 *
 * YAML 1.2 core schema. Anchors and aliases are allowed; `<<` merges, several documents and self-references are not.
 */
import {
  CORE_SCHEMA,
  EVENT_ID,
  FAILSAFE_SCHEMA,
  SCALAR_STYLE,
  YAMLException,
  constructFromEvents,
  getScalarValue,
  load,
  parseEvents,
  type Event,
} from 'js-yaml';
import { messageOf } from '../common/errors.js';
import type { Path } from '../common/tree.js';
import { SpecError, type Location } from './problems.js';

/** A YAML document and the locations of its values. */
export interface YamlDocument {
  value: unknown;
  /**
   * The location of the value at `path`, or of its key. If there is no such value in the text (it is missing, or inside
   * an alias), the place of the nearest value around it.
   */
  locate(path: Path, part?: 'key' | 'value'): Location;
}

/**
 * Parses the text of a spec file. `file` is its name in messages.
 *
 * @throws SpecError on anything that is not one well-formed document.
 */
export function readYaml(text: string, file: string): YamlDocument {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const at = locatorOf(source, file);
  const fail = (offset: number, message: string): never => {
    throw new SpecError([{ path: '', location: at(offset), message }]);
  };
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof YAMLException)) return fail(0, messageOf(error));
      return fail(error.mark?.position ?? 0, explain(error.reason));
    }
  };

  const events = attempt(() => parseEvents(source, { filename: file }));
  const documents = events.filter((event) => event.type === EVENT_ID.DOCUMENT).length;
  if (documents === 0) return fail(0, 'the file is empty; a sweep is a mapping with the keys job, grid, …');
  if (documents > 1) {
    return fail(secondDocument(events), 'the file holds several YAML documents; keep one sweep to a file');
  }
  const [value] = attempt(() => constructFromEvents(events, { source, schema: CORE_SCHEMA }));
  const root = placesOf(events, source, fail);

  return {
    value,
    locate(path, part = 'value') {
      let place = root;
      for (const [depth, step] of path.entries()) {
        const child = place.children.get(String(step));
        if (child === undefined) return at(place.start);
        if (part === 'key' && depth === path.length - 1) return at(child.keyStart);
        place = child;
      }
      return at(place.start);
    },
  };
}

/**
 * The value of a `--set` option, or why it cannot be read. `text` is the same value with every scalar as its text: for
 * `007`, `value` is 7 and `text` is `007`.
 */
export function parseYamlValue(source: string): { value: unknown; text: unknown } | { reason: string } {
  try {
    // Without anchors no value can refer to itself.
    const [value, text] = [CORE_SCHEMA, FAILSAFE_SCHEMA].map((schema) => load(source, { schema, maxAliases: 0 }));
    return { value, text };
  } catch (error) {
    return { reason: error instanceof YAMLException ? error.reason : messageOf(error) };
  }
}

/** The parser's message, with a remedy if it has none. */
function explain(reason: string): string {
  if (reason.startsWith('duplicated mapping key')) return 'this key stands twice in one mapping; keep one of them';
  if (reason.startsWith('tab characters')) return 'tabs cannot indent YAML; use spaces';
  return `not valid YAML: ${reason}`;
}

/** Finds the line of an offset. Lines are indexed once: a file may have a problem in each of them. */
function locatorOf(source: string, file: string): (offset: number) => Location {
  let lines: { start: number; end: number }[] | undefined;
  return (offset) => {
    lines ??= linesOf(source);
    let [low, high] = [0, lines.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (lines[middle]!.start <= offset) low = middle;
      else high = middle - 1;
    }
    const { start, end } = lines[low]!;
    return { kind: 'file', file, line: low + 1, column: offset - start + 1, text: source.slice(start, end) };
  };
}

/** The offset at which each line begins, and the offset of its line break. */
function linesOf(source: string): { start: number; end: number }[] {
  const lines = [];
  let start = 0;
  for (const { 0: end, index } of source.matchAll(/\r\n|\n|\r/g)) {
    lines.push({ start, end: index });
    start = index + end.length;
  }
  return [...lines, { start, end: source.length }];
}

// --- places ----------------------------------------------------------------------------------------------------------

/** A value's location in the text, as offsets. */
interface Place {
  start: number;
  keyStart: number;
  /** Number of values in it; each use of an alias counts. */
  size: number;
  children: Map<string, Place>;
}

/** Aliases of aliases can expand to billions of values in a few lines; real sweeps stay far below this limit. */
const LARGEST = 100_000;

/** The locations of the first document's values. */
function placesOf(events: Event[], source: string, fail: (offset: number, message: string) => never): Place {
  const anchors = new Map<string, Place | 'open'>();
  let next = 1; // after the document's own event

  function read(keyStart: number): Place {
    const event = events[next++];
    if (event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) {
      throw new Error('the YAML event stream ends inside a value');
    }
    const anchor = event.anchorStart < 0 ? undefined : source.slice(event.anchorStart, event.anchorEnd);
    if (event.type === EVENT_ID.ALIAS) {
      const start = event.anchorStart - 1;
      const target = anchors.get(anchor!);
      if (target === undefined || target === 'open') return fail(start, `*${anchor!} refers to a value it is part of`);
      return { start, keyStart, size: target.size, children: new Map() };
    }
    if (anchor !== undefined) anchors.set(anchor, 'open');
    const place = { start: startOf(event, keyStart), keyStart, size: 1, children: new Map<string, Place>() };
    if (event.type !== EVENT_ID.SCALAR) {
      for (let index = 0; events[next]?.type !== EVENT_ID.POP; index++) {
        let name = String(index);
        let itemStart = -1;
        if (event.type === EVENT_ID.MAPPING) {
          const key = events[next];
          const keyPlace = read(place.start);
          itemStart = keyPlace.start;
          name = key?.type === EVENT_ID.SCALAR && key.valueStart >= 0 ? getScalarValue(source, key) : '';
        }
        const child = read(itemStart < 0 ? place.start : itemStart);
        place.children.set(name, itemStart < 0 ? { ...child, keyStart: child.start } : child);
        place.size += child.size;
        if (place.size > LARGEST) fail(place.start, `aliases make this stand for over ${LARGEST} values`);
      }
      next++;
    }
    if (anchor !== undefined) anchors.set(anchor, place);
    return place;
  }

  return read(0);
}

/** An empty value has no location of its own and uses its key's. */
function startOf(event: Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>, otherwise: number) {
  switch (event.type) {
    case EVENT_ID.SCALAR: {
      if (event.valueStart < 0) return otherwise;
      const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
      return quoted ? event.valueStart - 1 : event.valueStart;
    }
    case EVENT_ID.ALIAS:
      return event.anchorStart - 1;
    default:
      return event.start;
  }
}

/** Offset of the first value of the second document. */
function secondDocument(events: Event[]): number {
  const starts = events.flatMap((event, index) => (event.type === EVENT_ID.DOCUMENT ? [index] : []));
  const first = events[starts[1]! + 1];
  if (first === undefined || first.type === EVENT_ID.POP || first.type === EVENT_ID.DOCUMENT) return 0;
  return startOf(first, 0);
}
