/** Values and pieces of text that code often does not expect. */
import type { Random } from '../../src/common/random.js';

export const pick = <T>(random: Random, from: readonly T[]): T => from[random.integer(from.length)]!;

const DEEP = 10_000;

/** JSON texts, so that numbers can be what `JSON.parse` does not write. */
const VALUES: readonly string[] = [
  ...['null', 'true', '""', '[]', '{}', '[[]]', '{"__proto__": 1}', '{"constructor": {"prototype": 1}}'],
  ...[
    '0',
    '-0',
    '-1',
    '1.5',
    '1e308',
    '1e999',
    '-1e999',
    '9007199254740992',
    '9007199254740993',
    '1e-320',
    '4294967296',
  ],
  ...['NaN', 'Infinity', '1_000', '0x10', "'x'", ''],
  ...['"../../etc/passwd"', '"/etc/passwd"', '"0123456789abcdef"', '"done"', '"__proto__"', '"2026-13-45T99:99:99Z"'],
  JSON.stringify('a\u001b]0;x\u0007b\u009bc\u202ed\u2028e\u0000\n# f\n```\n<script>|*_[x](y)'),
  `"${'x'.repeat(100_000)}"`,
  '"\\ud800"',
  `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`,
];

export const hostileJson = (random: Random): string => pick(random, VALUES);

/** Replaces one value of a JSON text, or removes or renames a key; a text that is no JSON stays. */
export function mutateJson(text: string, random: Random): string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return text;
  }
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      places.push({ holder: value as Record<string, unknown>, key });
      walk(member);
    }
  };
  walk(json);
  if (places.length === 0) return hostileJson(random);
  const { holder, key } = pick(random, places);
  const kept = holder[key];
  switch (random.integer(4)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else Reflect.deleteProperty(holder, key);
      return JSON.stringify(json);
    case 1:
      if (Array.isArray(holder)) holder.push(kept);
      else holder[pick(random, ['__proto__', 'kind', 'x', 'id', ''])] = kept;
      return JSON.stringify(json);
    default: {
      const marker = '@@the place@@';
      holder[key] = marker;
      return JSON.stringify(json).replace(JSON.stringify(marker), () => hostileJson(random));
    }
  }
}

/** Flips bits, cuts, doubles or replaces pieces of bytes. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.integer(bytes.length + 1);
  switch (random.integer(4)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      for (let i = 0; i <= random.integer(8) && flipped.length > 0; i++) {
        const place = random.integer(flipped.length);
        flipped[place] = flipped[place]! ^ (1 << random.integer(8));
      }
      return flipped;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.integer(100)))]);
    default:
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(hostileJson(random)),
        bytes.subarray(at + random.integer(20)),
      ]);
  }
}
