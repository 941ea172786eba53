/** The strengths that the registries' entries add to the schema, below `degradation`. */
import type { z } from 'zod';
import type { DegradationEntry } from './entry.js';

type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;

/** The key of an entry's strengths below `degradation`: `zoomed-in` → `zoomedIn`. */
export function strengthsKey<Name extends string>(name: Name): CamelCase<Name> {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<Name>;
}

type Degradations = Readonly<Record<string, DegradationEntry>>;
type StrengthsShape<Entries extends Degradations> = {
  [
    Name in keyof Entries & string as keyof Entries[Name]['strengths']['shape'] extends never ? never : CamelCase<Name>
  ]: z.ZodPrefault<Entries[Name]['strengths']>;
};

/** The keys below `degradation` that the entries add: one group for each entry with strengths. */
export function strengthsShape<Entries extends Degradations>(entries: Entries): StrengthsShape<Entries> {
  const groups = Object.values(entries)
    .filter(({ strengths }) => Object.keys(strengths.shape).length > 0)
    .map(({ name, description, strengths }) => {
      const sentence = `${description[0]!.toUpperCase()}${description.slice(1)}.`;
      return [strengthsKey(name), strengths.prefault({}).describe(sentence)];
    });
  return Object.fromEntries(groups) as StrengthsShape<Entries>; // the mapped type describes the loop's result
}

/** The strengths of an entry in the `degradation` of a spec; none if it has no group. */
export function strengthsIn(name: string, degradation: object): Record<string, unknown> {
  const groups: Readonly<Record<string, unknown>> = { ...degradation };
  return (groups[strengthsKey(name)] ?? {}) as Record<string, unknown>; // checked by the schema
}
