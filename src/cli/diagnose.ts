/** Tries and measures the devices of this machine, for `vitmim doctor`. */
import * as tf from '@tensorflow/tfjs';
import type { Device } from '../backends/device.js';
import { DEVICE_NAMES, type DeviceName } from '../backends/index.js';
import { openDevice } from '../backends/open.js';
import { messageOf } from '../common/errors.js';

/** The findings of the doctor. */
export interface Diagnosis {
  node: string;
  platform: string;
  tfjs: string;
  chosen: DeviceName;
  software: boolean;
  devices: {
    name: DeviceName;
    /** null: it is not available. */
    description: string | null;
    /** Why `auto` does not take it. */
    reason: string | null;
    /** How it could be faster. */
    advice: string | null;
    gigaflops: number | null;
  }[];
}

/** Opens every device in turn. */
export async function diagnose(benchmark: boolean): Promise<Diagnosis> {
  const auto = await openDevice('auto');
  auto.close();
  const devices: Diagnosis['devices'] = [];
  for (const name of DEVICE_NAMES) {
    let device: Device | undefined;
    try {
      device = await openDevice(name, { precision: benchmark ? 'bfloat16' : undefined });
      const gigaflops = benchmark ? await measure() : null;
      const { description, advice = [] } = device;
      devices.push({ name, description, reason: reasonOf(auto, name), advice: advice.join('\n') || null, gigaflops });
    } catch (error) {
      devices.push({ name, description: null, reason: messageOf(error), advice: null, gigaflops: null });
    } finally {
      device?.close();
    }
  }
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    tfjs: tf.version.tfjs,
    chosen: auto.name,
    software: auto.software,
    devices,
  };
}

function reasonOf(auto: Awaited<ReturnType<typeof openDevice>>, name: DeviceName): string | null {
  return auto.tried.find((device) => device.name === name)?.rejected ?? null;
}

const SIDE = 512;
const BENCHMARK_MS = 2000;

/** GFLOP/s of a 512² float32 matrix product, over about two seconds. */
async function measure(): Promise<number> {
  const a = tf.ones([SIDE, SIDE]);
  const multiply = async (): Promise<void> => {
    const product = tf.matMul(a, a);
    await product.data();
    product.dispose();
  };
  await multiply(); // compiles
  const begin = performance.now();
  let products = 0;
  while (performance.now() - begin < BENCHMARK_MS) {
    await multiply();
    products += 1;
  }
  const seconds = (performance.now() - begin) / 1000;
  a.dispose();
  return (products * 2 * SIDE ** 3) / seconds / 1e9;
}

/** The diagnosis as lines of text. */
export function describeDiagnosis({ node, platform, tfjs, chosen, devices }: Diagnosis): string[] {
  return [
    `node ${node} on ${platform}, tfjs ${tfjs}`,
    '',
    ...devices.flatMap(({ name, description, reason, advice, gigaflops }) => {
      const mark = name === chosen ? '→' : ' ';
      const speed = gigaflops === null ? '' : `, ${gigaflops.toPrecision(3)} GFLOP/s`;
      const lines = [`${mark} ${name.padEnd(11)} ${description === null ? 'not available' : description + speed}`];
      const notes = [reason, advice].flatMap((note) => (note === null ? [] : note.split('\n')));
      return [...lines, ...notes.map((line) => `    ${line}`)];
    }),
    '',
    `--device auto takes ${chosen}.`,
  ];
}
