/**
 * The places of TensorFlow's library and its Node addon: the result of `npm run tensorflow:build`, or one of tfjs's own
 * packages that npm installed. Only looks at files and loads nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../common/errors.js';

/** The parts of a build. The build writes this file last, as `build.json` beside the addon. */
export interface Build {
  /** The package that the addon's sources and the kernels come from, with its version. */
  readonly package: string;
  /** Version of TensorFlow. */
  readonly tensorflow: string;
  /** `library`: a library that was already installed, built for a CPU or for GPUs. */
  readonly kind: 'cpu' | 'gpu' | 'library';
  /** The folder of a library that was already installed; null: the build includes its own. */
  readonly library: string | null;
}

/** An addon and its package of kernels. */
export interface Installation {
  /** Name and source, for messages. */
  readonly name: string;
  /** The package's folder, with its JavaScript in `dist/`. */
  readonly root: string;
  readonly addon: string;
  /** Whether its library supports GPUs. */
  readonly forGpu: boolean;
}

export const BUILD_FILE = 'build.json';
export const ADDON_FILE = 'tfjs_binding.node';
export const PACKAGE_FOLDER = 'package';

/** `$VITMIM_TENSORFLOW`, or `.cache/vitmim/tensorflow` in the user's home folder, which `npm ci` does not touch. */
export function buildHome(environment: NodeJS.ProcessEnv = process.env): string {
  const { VITMIM_TENSORFLOW: chosen } = environment;
  return chosen !== undefined && chosen !== '' ? chosen : join(homedir(), '.cache', 'vitmim', 'tensorflow');
}

/**
 * The description of the build there; null if no build was completed.
 *
 * @throws Error that names the file, if it cannot be read.
 */
export function readBuild(home: string): Build | null {
  const file = join(home, BUILD_FILE);
  if (!existsSync(file)) return null;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Build;
  } catch (error) {
    throw new Error(`${file} cannot be read (${messageOf(error)}); remove its folder and build again`);
  }
}

/** In order of preference. Both are optional, and their install scripts download a TensorFlow of 2022. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/**
 * All candidates in order of preference: the user's own build, then packages.
 *
 * @returns For each, how to load it, or why it cannot be loaded.
 */
export function findInstallations(
  home = buildHome(),
  require = createRequire(import.meta.url),
): (Installation | { name: string; absent: string })[] {
  return [findBuild(home), ...PACKAGES.map((name) => findPackage(name, require))];
}

function findBuild(home: string): ReturnType<typeof findInstallations>[number] {
  try {
    const build = readBuild(home);
    if (!build) return { name: 'own build', absent: `none in ${home}` };
    return {
      name: `TensorFlow ${build.tensorflow} (${build.kind}, built in ${home})`,
      root: join(home, PACKAGE_FOLDER),
      addon: join(home, ADDON_FILE),
      forGpu: build.kind !== 'cpu',
    };
  } catch (error) {
    return { name: 'own build', absent: messageOf(error) };
  }
}

function findPackage(name: string, require: NodeJS.Require): ReturnType<typeof findInstallations>[number] {
  let root: string;
  try {
    root = dirname(require.resolve(`${name}/package.json`));
  } catch {
    return { name, absent: 'not installed' };
  }
  // One folder for each version of Node's addon interface. The newest one loads in every supported Node.
  const lib = join(root, 'lib');
  const addon = (existsSync(lib) ? readdirSync(lib) : [])
    .map((folder) => join(lib, folder, ADDON_FILE))
    .filter((file) => existsSync(file))
    .sort()
    .at(-1);
  if (addon === undefined) {
    return { name, absent: 'installed without its native library, which its install script could not download' };
  }
  return { name, root, addon, forGpu: name.endsWith('-gpu') };
}
