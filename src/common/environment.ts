/** Faults of a machine that keep the program from working, in words: missing packages, limits that are too low. */
import { errorCode, messageOf, UsageError } from './errors.js';

/** How to get packages that an installation has left out. */
const REINSTALL = 'install vitmim again with its optional dependencies: npm install --include=optional';

/** The problem in words; null: the error is of another kind. */
export function environmentProblem(error: unknown): UsageError | null {
  switch (errorCode(error)) {
    case 'EMFILE':
      return new UsageError(
        'too many open files: the limit of this shell is too low for vitmim; raise it, as in: ulimit -n 1024',
      );
    case 'ENFILE':
      return new UsageError('too many open files on this machine; end other programs, or ask its administrator');
    case 'ERR_MODULE_NOT_FOUND':
    case 'MODULE_NOT_FOUND': {
      const name = /Cannot find (?:package|module) '([^']+)'/.exec(messageOf(error))?.[1] ?? 'one of its files';
      return new UsageError(`vitmim cannot find ${name}; ${REINSTALL}`);
    }
    default: {
      // sharp itself is there, and its library for this platform is an optional dependency.
      const runtime = /Could not load the "sharp" module using the (\S+) runtime/.exec(messageOf(error))?.[1];
      if (runtime === undefined) return null;
      return new UsageError(`the package sharp, which decodes images, lacks its library for ${runtime}; ${REINSTALL}`);
    }
  }
}
