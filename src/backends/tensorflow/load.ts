/**
 * Makes the tfjs backend `tensorflow` from an addon and tfjs-node's kernels. The package's own entry point is passed
 * over: it wants the addon in its own folder, a dozen packages for downloading it, and a Node below 23.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import * as util from 'node:util';
import { compileFunction } from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import type { Installation } from './installation.js';

/** What we see of the addon. */
interface Addon {
  TF_Version: string;
  isUsingGpuDevice(): boolean;
}

/** What is running. There is one in a process: TensorFlow's library cannot be loaded twice. */
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
 * @throws Error as the dynamic linker words it, where a library is missing.
 */
export function load({ root, addon }: Installation): Loaded {
  const binding = require(addon) as Addon;
  const requirePart = partsOf(join(root, 'dist'), {
    '@tensorflow/tfjs': require('@tensorflow/tfjs'),
    '@tensorflow/tfjs-core': require('@tensorflow/tfjs'), // which exports all of it
    // Node 23 has removed these.
    util: { ...util, isNullOrUndefined: (value: unknown) => value == null, isArray: Array.isArray },
    // Messages for TensorBoard, which would need google-protobuf.
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
 * Loads CommonJS files that lie outside any node_modules, where `require` would find no tfjs, or another one than ours.
 *
 * @param folder Where the first is looked for.
 * @param provided What is given instead of the modules of these names.
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
      modules.set(file, module); // before it runs: two of the files require each other
      const body = compileFunction(readFileSync(file, 'utf8'), ['module', 'exports', 'require'], { filename: file });
      Reflect.apply(body, undefined, [module, module.exports, requireFrom(dirname(file))]);
    }
    return module.exports;
  };
  return requireFrom(folder);
}
