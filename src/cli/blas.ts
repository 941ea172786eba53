/** `vitmim blas`: a fast library of matrix products for device simd, without root. */
import { Argument, Command } from 'commander';
import { say } from './terminal.js';

const NAMES = ['mkl', 'openblas'] as const;

export function blasCommand(): Command {
  const install = new Command('install')
    .description(
      'download MKL or OpenBLAS from PyPI, verify it, and use it from now on; needs Python with pip, not root',
    )
    .addArgument(new Argument('[name]', 'which one (default: mkl on x86, openblas elsewhere)').choices(NAMES))
    .option('--force', 'install again even if it is installed')
    .addHelpText(
      'after',
      `
The library is stored in ~/.cache/vitmim/blas; remove that folder to uninstall it. VITMIM_BLAS names another library.

Examples:
  vitmim blas install
  vitmim blas install openblas      8 MB instead of 221`,
    )
    .action(async (name: (typeof NAMES)[number] | undefined, { force = false }: { force?: boolean }) => {
      const { installBlas } = await import('../backends/simd/blas-install.js');
      const { library, folder } = installBlas({
        ...(name ? { name } : {}),
        force,
        onStep: say,
      });
      say(`${library.description} is in ${folder}; \`vitmim doctor\` measures how fast device simd is with it`);
    });
  return new Command('blas').description('install a fast BLAS for device simd').addCommand(install);
}
