/** Tensors of another program → the tensors of a model of this one. Every tensor of a file is accounted for. */
import { UsageError } from '../common/errors.js';
import { WEIGHTS_FORMATS, type WeightsFormat } from '../spec/weights-formats.js';
import {
  canonicalNames,
  detectFormat,
  FORMAT_TITLES,
  isBeside,
  partsOf,
  type ForeignPart,
  type NamedShape,
} from './names.js';
import { resamplePositions } from '../model/positions.js';
import { sizeOf, type StoredTensor, type StoredTensors, type Tensor } from './tensors.js';

/** How a file differs from what a model needs. */
export interface Misfit {
  missing: string[];
  /** Tensors that neither the model nor another model of the format has. */
  unexpected: string[];
  /** `pos_embed [1, 50, 8], not [1, 49, 8]` */
  misshapen: string[];
  /** Tensors with values that the model cannot represent. */
  unrepresentable: string[];
}

/** The format of a file; `auto`: by its tensors. */
export function chosenFormat(path: string, tensors: StoredTensors, asked: WeightsFormat | 'auto'): WeightsFormat {
  if (asked !== 'auto') return asked;
  const found = detectFormat(tensors);
  if (found !== null) return found;
  const names = [...tensors.keys()].slice(0, 5).join(', ');
  throw new UsageError(
    `${path} has no Vision Transformer of ${WEIGHTS_FORMATS.map((each) => FORMAT_TITLES[each]).join(', ')} ` +
      `(its tensors: ${names}, …); choose another file`,
  );
}

/** A file whose tensors fit a model. */
export interface Fitting {
  /** Tensors of the file that the model does not have, such as those of a classifier. */
  unused: string[];
  /** Grids of position tables that have to be resampled: `14 × 14 → 7 × 7`. */
  resampled: string[];
  /** Reads and converts the values, in the order of the model. */
  read: () => Map<string, { shape: number[]; data: Float32Array }>;
}

/**
 * Fits the tensors of a file to a model. No values are read, except those that have to be zero.
 *
 * @param wanted Every tensor that the model takes from the file.
 * @returns what fits, or how the file does not.
 */
export function fit(format: WeightsFormat, file: StoredTensors, wanted: readonly NamedShape[]): Fitting | Misfit {
  const tensors = canonicalNames(format, file);
  const names = new Set(wanted.map(({ name }) => name));
  const misfit: Misfit = { missing: [], unexpected: [], misshapen: [], unrepresentable: [] };
  const used = new Set<string>();
  const resampled = new Set<string>();
  const readers: { tensor: NamedShape; parts: { part: ForeignPart; source: StoredTensor }[] }[] = [];

  for (const tensor of wanted) {
    const parts = partsOf(format, tensor, names);
    const found = parts.flatMap((part) => {
      used.add(part.name);
      const source = tensors.get(part.name);
      if (source === undefined) {
        // A tensor that this program does not have may also be absent elsewhere.
        if (holdsValues(part)) misfit.missing.push(part.name);
        return [];
      }
      const shaped = tensor.name.endsWith('pos_embed') ? onGrid(source, part, tensor, resampled) : source;
      if (shaped.shape.join() !== part.shape.join()) {
        misfit.misshapen.push(`${part.name} [${source.shape.join(', ')}], not [${part.shape.join(', ')}]`);
        return [];
      }
      if (part.rest === 'zero' && hasRest(part) && !restIsZero(part, shaped.read())) {
        misfit.unrepresentable.push(part.name);
      }
      return [{ part, source: shaped }];
    });
    readers.push({ tensor, parts: found });
  }
  const others = [...tensors.keys()].filter((name) => !used.has(name));
  misfit.unexpected = others.filter((name) => !isBeside(format, name));
  misfit.missing = [...new Set(misfit.missing)];
  misfit.misshapen = [...new Set(misfit.misshapen)];
  if (Object.values(misfit).some((list: string[]) => list.length > 0)) return misfit;
  return {
    unused: others,
    resampled: [...resampled],
    read: () => readAll(readers),
  };
}

export const isMisfit = (outcome: Fitting | Misfit): outcome is Misfit => 'missing' in outcome;

/** Whether an own tensor has values in a part. */
const holdsValues = ({ shape, own }: ForeignPart): boolean => {
  const length = sizeOf(shape);
  // A part begins or ends with them; a position table begins with what it has not.
  return own(0) >= 0 || own(length - 1) >= 0;
};

const hasRest = ({ shape, own }: ForeignPart): boolean => own(0) < 0 || own(sizeOf(shape) - 1) < 0;

function restIsZero({ own }: ForeignPart, values: Float32Array): boolean {
  return values.every((value, i) => own(i) >= 0 || value === 0);
}

/**
 * A position table with the rows that a part has: resampled to its grid, and with a position of zeros for a class token
 * that has none.
 */
function onGrid(source: StoredTensor, part: ForeignPart, { shape }: NamedShape, resampled: Set<string>): StoredTensor {
  const [rows, dim] = [source.shape.at(-2) ?? 0, source.shape.at(-1) ?? 0];
  const wantedRows = part.shape.at(-2)!;
  const before = rows - Math.floor(Math.sqrt(rows)) ** 2;
  const needed = wantedRows - shape[0]!;
  if (dim !== shape[1] || before > needed || (rows === wantedRows && before === needed)) return source;
  const [side, newSide] = [Math.sqrt(rows - before), Math.sqrt(shape[0]!)];
  if (side !== newSide) resampled.add(`${side} × ${side} → ${newSide} × ${newSide}`);
  return {
    shape: part.shape,
    read() {
      const values = source.read();
      const out = new Float32Array(sizeOf(part.shape));
      out.set(values.subarray(0, before * dim));
      out.set(resamplePositions(values.subarray(before * dim), side, newSide, dim), needed * dim);
      return out;
    },
  };
}

function readAll(readers: readonly { tensor: NamedShape; parts: { part: ForeignPart; source: StoredTensor }[] }[]) {
  const values = new Map<string, { shape: number[]; data: Float32Array }>();
  let ofClassToken: Float32Array | undefined;
  for (const { tensor, parts } of readers) {
    const data = new Float32Array(sizeOf(tensor.shape));
    for (const { part, source } of parts) {
      const read = source.read();
      for (let i = 0; i < read.length; i++) {
        const own = part.own(i);
        if (own >= 0) data[own] = read[i]!;
      }
      if (part.rest === 'position of the class token' && hasRest(part)) {
        ofClassToken = read.subarray(0, tensor.shape[1]);
      }
    }
    values.set(tensor.name, { shape: [...tensor.shape], data });
  }
  const token = values.get('cls_token');
  if (token !== undefined && ofClassToken !== undefined) {
    for (const [i, value] of ofClassToken.entries()) token.data[i]! += value;
  }
  return values;
}

/** The most names in one list of a message. */
const LISTED = 12;

/** The lines of a message about a file that does not fit. */
export function describeMisfit({ missing, unexpected, misshapen, unrepresentable }: Misfit): string {
  const line = (what: string, names: readonly string[]): string[] => {
    if (names.length === 0) return [];
    const more = names.length - LISTED;
    return [`  ${what}: ${names.slice(0, LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
  };
  return [
    ...line('missing', missing),
    ...line('unexpected', unexpected),
    ...line('of another shape', misshapen),
    ...line('not zero, but the model has no such values', unrepresentable),
  ].join('\n');
}

/** Values as they are in memory; for code that has no file. */
export function fromForeign(format: WeightsFormat, file: ReadonlyMap<string, Tensor>, wanted: readonly NamedShape[]) {
  const tensors = new Map([...file].map(([name, { shape, data }]) => [name, { shape, read: () => data }]));
  const outcome = fit(format, tensors, wanted);
  if (isMisfit(outcome)) throw new UsageError(`the weights do not fit the model:\n${describeMisfit(outcome)}`);
  return outcome.read();
}
