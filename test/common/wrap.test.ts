import fc from 'fast-check';
import { shorten, widthOf, wrap } from '../../src/common/wrap.js';

const RED = '\u001b[31mfailed  \u001b[39m';

test('lines break at spaces, and go on below their text', () => {
  expect(wrap('epoch    masked: loss 0.9123, 312 images/s', 24, 9)).toBe(
    ['epoch    masked: loss', '         0.9123, 312', '         images/s'].join('\n'),
  );
});

test('a number is never cut, however narrow the terminal', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[0-9a-z.]{1,30}$/), { minLength: 1 }),
      fc.integer({ min: 1, max: 60 }),
      (words, width) => {
        const lines = wrap(words.join(' '), width, 4).split('\n');
        expect(lines.flatMap((line) => line.split(' ').filter(Boolean))).toEqual(words);
        for (const line of lines) if (line.trim().includes(' ')) expect(widthOf(line)).toBeLessThanOrEqual(width);
      },
    ),
  );
});

test('colours take no columns', () => {
  expect(widthOf(`${RED} x`)).toBe(10);
  expect(wrap(`${RED} x`, 10)).toBe(`${RED} x`);
});

test('what fits, and what has no limit, stays as it is', () => {
  const text = '  a  table\nof     two lines';
  expect(wrap(text, 20)).toBe(text);
  expect(wrap('x'.repeat(500), Infinity)).toBe('x'.repeat(500));
});

test('a text is cut with a mark', () => {
  expect([shorten('masked seed 0', 8), shorten('masked', 6), shorten('masked', 1)]).toEqual(['masked…', 'masked', '…']);
});
