/**
 * Creates the tfjs backend `tensorflow` from an addon and tfjs-node's kernels. The package's own entry point is not
 * used: it needs the addon in its own folder, a dozen packages that download the addon, and a Node below 23.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import * as util from 'node:util';
import { compileFunction } from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import type { Installation } from './installation.js';

/** The part of the addon's interface that is used here. */
interface Addon {
  TF_Version: string;
  isUsingGpuDevice(): boolean;
}

/** The loaded library. There is one in a process: TensorFlow's library cannot be loaded twice. */
export interface Loaded {
  /** TensorFlow's version. */
  version: string;
  gpu: boolean;
}

const BACKEND = 'tensorflow';
const require: (name: string) => unknown = createRequire(import.meta.url);

/**
 * Loads TensorFlow's library, the addon and the kernels, and registers the backend.
 *
 * @throws Error with the dynamic linker's message if a library is missing.
 */
export function load({ root, addon }: Installation): Loaded {
  const binding = require(addon) as Addon;
  const requirePart = partsOf(join(root, 'dist'), {
    '@tensorflow/tfjs': require('@tensorflow/tfjs'),
    '@tensorflow/tfjs-core': require('@tensorflow/tfjs'), // its exports include all of tfjs-core
    // Node 23 has removed these.
    util: { ...util, isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray },
    // Only for TensorBoard; it would need google-protobuf.
    './proto/api_pb': {},
  });
  requirePart('./register_all_kernels');
  const { NodeJSKernelBackend } = requirePart('./nodejs_kernel_backend') as {
    NodeJSKernelBackend: new (binding: Addon, packageName: string) => tf.KernelBackend;
  };
  tf.registerBackend(BACKEND, () => new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu'));
  return { version: binding.TF_Version, gpu: binding.isUsingGpuDevice() };
}

/**
 * Loads CommonJS files outside any node_modules folder: `require` would find no tfjs there, or another copy of it.
 *
 * @param folder The folder of the first file.
 * @param provided Replacements for the modules of these names.
 */
function partsOf(folder: string, provided: Record<string, unknown>): (name: string) => unknown {
  const modules = new Map<string, { exports: unknown }>();
  const requireFrom = (from: string) => (name: string) => {
    if (Object.hasOwn(provided, name)) return provided[name];
    return name.startsWith('.') ? run(resolve(from, `${name}.js`)) : require(name);
  };
  const run = (file: string): unknown => {
    let module = modules.get(file);
    if (!module) {
      module = { exports: {} };
      modules.set(file, module); // before the file runs: two of the files require each other
      const body = compileFunction(readFileSync(file, 'utf8'), ['module', 'exports', 'require'], { filename: file });
      Reflect.apply(body, undefined, [module, module.exports, requireFrom(dirname(file))]);
    }
    return module.exports;
  };
  return requireFrom(folder);
}
