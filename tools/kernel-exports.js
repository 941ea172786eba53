// Writes the typed interface of the simd device's WebAssembly module from the bindings that the AssemblyScript compiler
// declares for it. build.js runs this before it compiles the TypeScript sources, so a call that no longer matches the
// AssemblyScript source does not compile.

/** Types of parameters and results, as the compiler's comments name them. A `usize` is an address in every kernel. */
const TYPES = { usize: 'Address', i32: 'number', f32: 'number', f64: 'number', void: 'void' };

/**
 * @param {string} declarations The compiler's `.d.ts` file (`--bindings raw`).
 * @returns {string} The source of src/backends/simd/exports.ts, not yet formatted.
 */
export function kernelExports(declarations) {
  const kernels = [...declarations.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export function (\w+)\(/g)].map(parse);
  const declared = declarations.match(/export function /g)?.length;
  if (kernels.length !== declared) throw new Error(`read ${kernels.length} of ${declared} functions in the bindings`);
  return `
/** The module's kernels with their types. Written by build.js from the compiler's bindings: do not edit. */
import type { Address } from './address.js';

/** Each kernel takes one record. Its fields have the names of the parameters in the AssemblyScript source. */
export interface Kernels {
${kernels.map(declaration).join('\n')}
}

/** How many parameters each function of the module has. */
const PARAMETERS: Readonly<Record<keyof Kernels, number>> = {
${kernels.map(({ name, parameters }) => `${name}: ${parameters.length}`).join(',\n')}
};

type Positional = { readonly [Name in keyof Kernels]: (...values: number[]) => ReturnType<Kernels[Name]> };

/**
 * @param exports The exports of an instance of the module.
 * @throws Error if the module was built from another version: a function is missing or has other parameters.
 */
export function typedKernels(exports: Readonly<Record<string, unknown>>): Kernels {
  const wrong = Object.entries(PARAMETERS).filter(([name, count]) => {
    const kernel = exports[name];
    return typeof kernel !== 'function' || kernel.length !== count;
  });
  if (wrong.length > 0) {
    const names = wrong.map(([name]) => name).join(', ');
    throw new Error(\`kernels.wasm is of another build (\${names}): run \\\`npm run build\\\`\`);
  }
  const module = exports as unknown as Positional;
  return {
${kernels.map(wrapper).join(',\n')}
  };
}
`;
}

function parse([, comment, name]) {
  const typeOf = (type) => {
    if (!(type in TYPES)) throw new Error(`the kernel ${name} has a parameter or result of type ${type}`);
    return TYPES[type];
  };
  return {
    name,
    source: /backends\/simd\/(\S+)\//.exec(comment)[1],
    parameters: [...comment.matchAll(/@param (\w+) `(\w+)`/g)].map(([, name, type]) => ({ name, type: typeOf(type) })),
    result: typeOf(/@returns `(\w+)`/.exec(comment)?.[1] ?? 'void'),
  };
}

const declaration = ({ name, source, parameters, result }) => `
/** ${source}.ts */
${name}: (${parameters.length > 0 ? `values: { ${list(parameters)} }` : ''}) => ${result};`;

const list = (parameters) => parameters.map(({ name, type }) => `readonly ${name}: ${type}`).join('; ');

function wrapper({ name, parameters, result }) {
  const call = `module.${name}(${parameters.map(({ name }) => `values.${name}`).join(', ')})`;
  return `${name}: (${parameters.length > 0 ? 'values' : ''}) => ${result === 'void' ? `{ ${call}; }` : call}`;
}
