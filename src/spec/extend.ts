/**
 * `extends: base.yaml`: a spec file and the files that it extends, as one document. Files are read through a function.
 */
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { errorCode, messageOf } from '../common/errors.js';
import { isMapping, type Path } from '../common/tree.js';
import { extendDocument, withDottedAxes } from './document.js';
import { show, SpecError, type Location } from './problems.js';
import { readYaml, type YamlDocument } from './yaml.js';

/** Returns the text of a file. @throws if it cannot be read. */
export type ReadText = (file: string) => string;

export interface ReadDocument {
  /** With the values of all files, and without `extends`. */
  document: YamlDocument;
  /** The places at which a file unsets a key that its base does not set. */
  idle: Location[];
}

/** These describe one file: a sweep with the name of its base would write to the same results folder. */
const NOT_INHERITED = ['name', 'description'];

/**
 * Reads a spec and the files that it extends.
 *
 * @param file The path of the spec; the paths of bases are relative to its folder.
 * @param chain The files that extend this one.
 * @throws SpecError on YAML that is not well formed, a base that cannot be read, and files that extend each other.
 */
export function readDocument(
  text: string,
  file: string,
  readText: ReadText,
  chain: readonly string[] = [],
): ReadDocument {
  const { document: own, problems } = withDottedAxes(readYaml(text, file));
  if (problems.length > 0) throw new SpecError(problems);
  if (!isMapping(own.value) || !Object.hasOwn(own.value, EXTENDS)) return { document: own, idle: [] };

  const location = own.locate([EXTENDS]);
  const fail = (message: string): never => {
    throw new SpecError([{ path: EXTENDS, location, message }]);
  };
  const written: unknown = own.value[EXTENDS];
  if (typeof written !== 'string' || written === '') {
    return fail(`extends: expected the path of a spec file, such as base.yaml, got ${show(written)}`);
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) {
    return fail(`extends: ${written} is an address, and only files are read; save it as a file, and write its path`);
  }
  const path = isAbsolute(written) ? normalize(written) : join(dirname(file), written);
  const files = [...chain, normalize(file)];
  if (files.includes(path)) {
    const circle = [...files.slice(files.indexOf(path)), path].join(' extends ');
    return fail(`extends: these files extend each other in a circle: ${circle}; remove one extends`);
  }
  let baseText: string;
  try {
    baseText = readText(path);
  } catch (error) {
    return fail(
      `extends: cannot read ${path}: ${errorCode(error) === 'ENOENT' ? 'no such file' : messageOf(error)}; the path is relative to the folder of ${file}`,
    );
  }
  const base = readDocument(baseText, path, readText, files);
  const inherited = { value: without(base.document.value, NOT_INHERITED), locate: locatorOf(base.document) };
  const { document, idle } = extendDocument(inherited, {
    value: without(own.value, [EXTENDS]),
    locate: locatorOf(own),
  });
  return { document, idle: [...base.idle, ...idle.map((place: Path) => own.locate(place, 'key'))] };
}

const EXTENDS = 'extends';

const locatorOf =
  (document: YamlDocument): YamlDocument['locate'] =>
  (path, part) =>
    document.locate(path, part);

function without(value: unknown, keys: readonly string[]): unknown {
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}
