/** The executable of the package, which workers run. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside this file in the bundle; in a checkout, in the compiled `bin/`. */
const PLACES = ['./vitmim.js', '../../bin/vitmim.js'];

export function programPath(): string {
  const paths = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`the program of vitmim is missing at ${paths[0]!}; install the package again`);
  return found;
}
