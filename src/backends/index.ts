/** Every device. To add one, add a file in this folder and a line here. */
import { namesOf, registry } from '../common/registry.js';
import { cpu } from './cpu.js';
import { simd } from './simd.js';
import { tensorflow } from './tensorflow.js';
import { webgpu } from './webgpu.js';

/** In the order in which `auto` tries them. */
export const DEVICES = registry({ tensorflow, webgpu, simd, cpu });

export type DeviceName = keyof typeof DEVICES;
/** What `--device` accepts. */
export type DeviceChoice = DeviceName | 'auto';

export const DEVICE_NAMES = namesOf(DEVICES);
