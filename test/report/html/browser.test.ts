/** The page in a real browser. Skipped without one, unless VITMIM_REQUIRE_BROWSER=1. */
import { resultsMaker } from '../support.js';
import { Browser, findBrowser } from './browser.js';
import { FACTORIAL, setLosses, writePage } from './support.js';

const command = findBrowser();
if (command === undefined && process.env.VITMIM_REQUIRE_BROWSER === '1') {
  throw new Error('VITMIM_REQUIRE_BROWSER=1, but there is no chromium: apt-get install chromium');
}
const results = resultsMaker();

(command === undefined ? describe.skip : describe)('in a browser, the page', () => {
  let browser: Browser;
  let path: string;

  beforeAll(async () => {
    let accuracy = 0;
    const folder = results(FACTORIAL, () => ({ accuracy: 40 + ((accuracy++ * 7) % 11) }));
    setLosses(folder, [1, 0.8, 0.7]);
    path = writePage(folder).path;
    browser = await Browser.start(command!);
  }, 60_000);

  afterAll(() => browser.close());

  beforeEach(async () => {
    await browser.show(1280, 'light');
    await browser.open(path);
  });

  test('says nothing in the console, its content policy included', async () => {
    expect(browser.complaints).toEqual([]);
    await browser.evaluate('console.error("heard")');
    expect(browser.complaints.splice(0)).toHaveLength(1);
  });

  test('has as many marks as there are results', async () => {
    const count = (figure: string, what: string) =>
      browser.evaluate<number>(`document.querySelectorAll('#${figure} ${what}').length`);
    // Two charts of three misalignments, three of two styles; two mask ratios each.
    expect(await count('figure-mask-misalignment', '.mark')).toBe(12);
    expect(await count('figure-mask-misalignment', '.line')).toBe(6);
    expect(await count('figure-mask-style', '.mark')).toBe(12);
    expect(await count('figure-mask-style', '.bar')).toBe(12);
    expect(await count('figure-losses', '.line')).toBe(24);
  });

  const column = (i: number) =>
    browser.evaluate<string[]>(
      `[...document.querySelectorAll('#table-objectives tbody tr')].map((row) => row.cells[${i}].textContent)`,
    );
  const sortState = (i: number) =>
    browser.evaluate(`document.querySelectorAll('#table-objectives thead th')[${i}].getAttribute('aria-sort')`);
  const indexOf = (label: string) =>
    browser.evaluate<number>(
      `[...document.querySelectorAll('#table-objectives thead th')].findIndex((th) => th.textContent === '${label}')`,
    );

  test('sorts a table by numbers upon a click, largest first and empty cells last in both directions', async () => {
    const i = await indexOf('mean (%)');
    const click = `document.querySelectorAll('#table-objectives thead button')[${i}].click()`;
    const before = await column(i);
    const filled = before.filter((text) => text !== '');
    const empty = before.filter((text) => text === '');
    expect([filled.length > 2, empty.length > 0]).toEqual([true, true]);
    const falling = filled.toSorted((a, b) => Number(b) - Number(a));
    expect(before).not.toEqual([...falling, ...empty]);

    await browser.evaluate(click);
    expect([await column(i), await sortState(i)]).toEqual([[...falling, ...empty], 'descending']);
    await browser.evaluate(click);
    expect([await column(i), await sortState(i)]).toEqual([[...falling.toReversed(), ...empty], 'ascending']);
    await browser.evaluate(`document.querySelectorAll('#table-objectives thead button')[0].click()`);
    expect([await sortState(0), await sortState(i)]).toEqual(['ascending', null]);
  });

  test('sorts by keyboard', async () => {
    await browser.evaluate(`document.querySelectorAll('#table-objectives thead button')[0].focus()`);
    await browser.press('Enter', '\r');
    expect(await sortState(0)).toBe('ascending');
    const names = await column(0);
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)));
  });

  test.each([
    [1280, 'light'],
    [1280, 'dark'],
    [390, 'light'],
    [390, 'dark'],
  ] as const)('fits a window of %d pixels, %s, and nothing in it sticks out', async (width, scheme) => {
    await browser.show(width, scheme);
    const sizes = await browser.evaluate<{ page: number; window: number; out: string[] }>(`(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
      const window = document.documentElement.clientWidth;
      const out = [...document.querySelectorAll('body *')].filter((element) =>
        (element.matches('caption span') || !element.closest('.scroll, pre')) && element.getBoundingClientRect().right > window + 1);
      return {
        page: document.documentElement.scrollWidth, window, out: out.map((element) => element.outerHTML.slice(0, 80))
      };
    })()`);
    expect(sizes.out).toEqual([]);
    expect(sizes.page).toBeLessThanOrEqual(sizes.window);
    const colour = await browser.evaluate<string>(`getComputedStyle(document.body).backgroundColor`);
    expect(colour).toBe(scheme === 'light' ? 'rgb(253, 253, 251)' : 'rgb(21, 23, 26)');
  });

  test('has no two labels of a chart on top of each other', async () => {
    for (const width of [1280, 390]) {
      await browser.show(width, 'light');
      const collisions = await browser.evaluate<string[]>(`(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
        return [...document.querySelectorAll('svg')].flatMap((svg) => {
          const texts = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
          return texts.flatMap(([a, one], i) => texts.slice(i + 1).flatMap(([b, other]) => {
            // Boxes have room above and below their letters.
            const apart = one.right <= other.left || other.right <= one.left ||
              one.bottom <= other.top + 4 || other.bottom <= one.top + 4;
            return apart ? [] : [a + ' / ' + b];
          }));
        });
      })()`);
      expect(collisions).toEqual([]);
    }
  });

  test('is read without its script', async () => {
    await browser.send('Emulation.setScriptExecutionDisabled', { value: true });
    await browser.open(path);
    await browser.send('Emulation.setScriptExecutionDisabled', { value: false });
    const seen = await browser.evaluate(
      `[document.querySelectorAll('th button').length, document.querySelectorAll('tbody tr').length > 20]`,
    );
    expect(seen).toEqual([0, true]);
  });
});
