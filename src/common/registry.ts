/**
 * Registries: one record for each concept that has several kinds, with an entry for each kind. Types, schema,
 * completion and reports are derived from them, so a new kind is one file and one line.
 */

/**
 * A registry: entries by name, in the order in which lists show them. A key that differs from the entry's own name does
 * not compile; an entry without a name has only the key.
 */
export const registry = <const Entries extends { readonly [Name in keyof Entries]: Named<Name> }>(
  entries: Entries,
): Entries => entries;

/** `object`: TypeScript rejects a value that has none of the properties of a type if all of them are optional. */
type Named<Name> = object & { readonly name?: Name };

/** The names of a registry, in order. */
export function namesOf<Name extends string>(entries: Readonly<Record<Name, unknown>>): readonly Name[] {
  return Object.keys(entries) as Name[]; // Object.keys returns strings; a registry has no other keys
}

/** `none: aligned; zoomed-in: the input shows …`: for the description of a key whose values are the names. */
export function describeEntries(entries: Readonly<Record<string, { name: string; description: string }>>): string {
  return Object.values(entries)
    .map(({ name, description }) => `${name}: ${description}`)
    .join('; ');
}
