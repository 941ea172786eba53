/** Canonical JSON and its hash, from which every identity is computed. Key order and formatting do not matter. */
import { createHash } from 'node:crypto';
import { isMapping } from './tree.js';

/** JSON with the keys of every object in code-point order and no white space. `undefined` members are omitted. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isMapping(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}

/** Hexadecimal SHA-256 of a text or of bytes. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
