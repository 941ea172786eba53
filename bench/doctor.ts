/**
 * Only `vitmim doctor`, for a packed bundle: the whole program needs native packages that a minimal machine does not
 * have.
 */
import { doctorCommand } from '../src/cli/doctor.js';

await doctorCommand().parseAsync();
process.exit();
