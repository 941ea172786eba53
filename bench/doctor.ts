/** `vitmim doctor` alone, for a packed bundle: the whole program wants native packages that a bare machine has not. */
import { doctorCommand } from '../src/cli/doctor.js';

await doctorCommand().parseAsync();
process.exit();
