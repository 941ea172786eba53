/**
 * Records of named values that are also written as float64 numbers, for other threads to read from shared memory. The
 * fields are listed once; their order, the number of words and the TypeScript type follow from that list.
 */
import type { Address } from './address.js';

/** How one value is written as numbers. */
export interface RecordField<Value> {
  /** How many numbers it takes. */
  readonly words: number;
  write(words: Float64Array, at: number, value: Value): void;
  read(words: Float64Array, at: number): Value;
}

export type Four = readonly [number, number, number, number];

export const number: RecordField<number> = {
  words: 1,
  write: (words, at, value) => {
    words[at] = value;
  },
  read: (words, at) => words[at]!,
};

export const address: RecordField<Address> = {
  words: 1,
  write: (words, at, value) => {
    words[at] = value;
  },
  read: (words, at) => words[at] as Address,
};

/** Four sizes or strides, outermost axis first. */
export const four: RecordField<Four> = {
  words: 4,
  write: (words, at, value) => {
    words.set(value, at);
  },
  read: (words, at) => [words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!],
};

export const flag: RecordField<boolean> = {
  words: 1,
  write: (words, at, value) => {
    words[at] = value ? 1 : 0;
  },
  read: (words, at) => words[at] !== 0,
};

/** One of several names. */
export const oneOf = <const Name extends string>(names: readonly Name[]): RecordField<Name> => ({
  words: 1,
  write: (words, at, value) => {
    words[at] = names.indexOf(value);
  },
  read: (words, at) => names[words[at]!]!,
});

type Fields = Readonly<Record<string, RecordField<unknown>>>;

export type ValuesOf<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends RecordField<infer Value> ? Value : never;
};

/** How a record is written as numbers. */
export interface RecordFormat<Values> {
  /** How many numbers it takes. */
  readonly words: number;
  write(words: Float64Array, values: Values): void;
  read(words: Float64Array): Values;
}

/** @param fields By name, in the order in which they are written. */
export function recordFormat<F extends Fields>(fields: F): RecordFormat<ValuesOf<F>> {
  let words = 0;
  const places = Object.entries(fields).map(([name, field]) => {
    const at = words;
    words += field.words;
    return { name, field, at };
  });
  return {
    words,
    write: (to, values) => {
      for (const { name, field, at } of places) field.write(to, at, values[name]);
    },
    read: (from) => {
      const values: Record<string, unknown> = {};
      for (const { name, field, at } of places) values[name] = field.read(from, at);
      return values as ValuesOf<F>;
    },
  };
}
