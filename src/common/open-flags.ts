/** Flags for opening files that may not be regular files. Windows has neither; there they are 0. */
import { constants } from 'node:fs';

const flag = (name: 'O_NONBLOCK' | 'O_NOFOLLOW'): number => (name in constants ? constants[name] : 0);

/** Opening a pipe does not wait for its other end. */
export const NO_WAIT = flag('O_NONBLOCK');
/** Opening a link fails. */
export const NO_LINK = flag('O_NOFOLLOW');
