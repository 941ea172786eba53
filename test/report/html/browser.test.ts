/** The page in a real browser: CHROMIUM, or Debian's. Skipped without one, unless VITMIM_REQUIRE_BROWSER=1. */
import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { resultsMaker } from '../support.js';
import { FACTORIAL, leaveFiles, setLosses, writePage } from './support.js';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const hasBrowser = existsSync(executablePath);
if (!hasBrowser && process.env.VITMIM_REQUIRE_BROWSER === '1') {
  throw new Error(`VITMIM_REQUIRE_BROWSER=1, but there is no ${executablePath}: apt-get install chromium`);
}
const results = resultsMaker();

/** What functions given to `evaluate`, which run in the page, use of it. All of lib.dom would offer it to src as well. */
interface PageElement {
  textContent: string;
  outerHTML: string;
  open: boolean;
  naturalWidth: number;
  matches(selector: string): boolean;
  closest(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  getBoundingClientRect(): Record<'left' | 'right' | 'top' | 'bottom', number>;
}
declare const document: PageElement & {
  body: PageElement;
  documentElement: { clientWidth: number; scrollWidth: number };
};
declare const getComputedStyle: (element: PageElement) => Record<'backgroundColor' | 'fill' | 'stroke', string>;

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };

(hasBrowser ? describe : describe.skip)('in a browser, the page', () => {
  let browser: Browser;
  let path: string;
  let page: Page;
  /** What the page said that it should not have: errors, warnings, refusals. */
  let complaints: string[];

  beforeAll(async () => {
    let accuracy = 0;
    const folder = results(FACTORIAL, () => ({ accuracy: 40 + ((accuracy++ * 7) % 11) }));
    setLosses(folder, [1, 0.8, 0.7]);
    await leaveFiles(folder);
    path = writePage(folder).path;
    // Without a sandbox, since root has none; the only page is our own.
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  }, 60_000);

  afterAll(() => browser.close());

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    page = await browser.newPage({ viewport: WIDE, colorScheme: 'light', ...options });
    complaints = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('requestfailed', (request) => complaints.push(request.url()));
    await page.goto(pathToFileURL(path).href);
  }
  afterEach(() => page.close());

  const unfold = () =>
    page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });

  test('says nothing in the console, its content policy included', async () => {
    await open();
    expect(complaints).toEqual([]);
    await page.evaluate(() => {
      console.error('heard');
    });
    expect(complaints).toEqual(['heard']);
  });

  test('has as many marks as there are results', async () => {
    await open();
    const count = (figure: string, what: string) => page.locator(`#${figure} .role-mark.${what}`).count();
    // Two charts of three misalignments, three of two styles; two mask ratios each.
    expect(await count('figure-mask-misalignment', 'mark > path')).toBe(12);
    expect(await count('figure-mask-misalignment', 'line > path')).toBe(6);
    expect(await count('figure-mask-style', 'mark > path')).toBe(12);
    expect(await count('figure-mask-style', 'bar > line')).toBe(12);
    expect(await count('figure-losses', 'line > path')).toBe(24);
    expect(await count('figure-learning-rate', 'line > path')).toBe(1);
    const widths = await page
      .locator('#reconstructions img')
      .evaluateAll((all: PageElement[]) => all.map((one) => one.naturalWidth));
    expect(widths).toEqual(Array(12).fill(400));
  });

  const TABLE = '#table-objectives';
  const column = (i: number) => page.locator(`${TABLE} tbody tr > :nth-child(${i + 1})`).allTextContents();
  const header = (i: number) => page.locator(`${TABLE} thead th`).nth(i);
  const sortState = (i: number) => header(i).getAttribute('aria-sort');

  test('sorts a table by numbers upon a click, largest first and empty cells last in both directions', async () => {
    await open();
    const labels = await page.locator(`${TABLE} thead th`).allTextContents();
    const i = labels.indexOf('mean (%)');
    const before = await column(i);
    const filled = before.filter((text) => text !== '');
    const empty = before.filter((text) => text === '');
    expect([filled.length > 2, empty.length > 0]).toEqual([true, true]);
    const falling = filled.toSorted((a, b) => Number(b) - Number(a));
    expect(before).not.toEqual([...falling, ...empty]);

    await header(i).getByRole('button').click();
    expect([await column(i), await sortState(i)]).toEqual([[...falling, ...empty], 'descending']);
    await header(i).getByRole('button').click();
    expect([await column(i), await sortState(i)]).toEqual([[...falling.toReversed(), ...empty], 'ascending']);
    await header(0).getByRole('button').click();
    expect([await sortState(0), await sortState(i)]).toEqual(['ascending', null]);
  });

  test('sorts by keyboard', async () => {
    await open();
    await header(0).getByRole('button').focus();
    await page.keyboard.press('Enter');
    expect(await sortState(0)).toBe('ascending');
    const names = await column(0);
    expect(names).toEqual(names.toSorted((a, b) => a.localeCompare(b)));
  });

  /** What is wider than the window and has no scroll bar of its own. */
  const stickingOut = () =>
    page.evaluate(() => {
      const { clientWidth, scrollWidth } = document.documentElement;
      const out = [...document.querySelectorAll('body *')]
        .filter((element) => element.matches('caption span') || !element.closest('.scroll, pre'))
        .filter((element) => element.getBoundingClientRect().right > clientWidth + 1)
        .map((element) => element.outerHTML.slice(0, 80));
      return { out, excess: Math.max(0, scrollWidth - clientWidth) };
    });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

  const BACKGROUNDS = { light: 'rgb(253, 253, 251)', dark: 'rgb(21, 23, 26)' };

  test.each([
    [WIDE, 'light'],
    [WIDE, 'dark'],
    [NARROW, 'light'],
    [NARROW, 'dark'],
  ] as const)('fits a window of %j, %s, and nothing in it sticks out', async (viewport, colorScheme) => {
    await open({ viewport, colorScheme });
    await unfold();
    expect(await stickingOut()).toEqual({ out: [], excess: 0 });
    expect(await background()).toBe(BACKGROUNDS[colorScheme]);
    const mark = page.locator('#figure-objectives .role-mark.mark > path').first();
    const [fill, ring] = await mark.evaluate((path: PageElement) => [
      getComputedStyle(path).fill,
      getComputedStyle(path).stroke,
    ]);
    expect(ring).toBe(BACKGROUNDS[colorScheme]);
    expect(fill).toBe(colorScheme === 'light' ? 'rgb(11, 92, 138)' : 'rgb(114, 185, 230)');
  });

  test.each([WIDE, NARROW])('has no two labels of a chart on top of each other at %j', async (viewport) => {
    await open({ viewport });
    await unfold();
    const collisions = await page.evaluate(() =>
      [...document.querySelectorAll('svg')].flatMap((svg) => {
        const texts = [...svg.querySelectorAll('text')].map((text) => ({
          text: text.textContent,
          box: text.getBoundingClientRect(),
        }));
        return texts.flatMap((a, i) =>
          texts.slice(i + 1).flatMap((b) => {
            // Boxes have room above and below their letters.
            const apart =
              a.box.right <= b.box.left ||
              b.box.right <= a.box.left ||
              a.box.bottom <= b.box.top + 4 ||
              b.box.bottom <= a.box.top + 4;
            return apart ? [] : [`${a.text} / ${b.text}`];
          }),
        );
      }),
    );
    expect(collisions).toEqual([]);
  });

  test('is read without its script', async () => {
    await open({ javaScriptEnabled: false });
    expect(await page.locator('th button').count()).toBe(0);
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(20);
    expect(await page.locator('#figure-mask-style .role-mark.mark > path').first().isVisible()).toBe(true);
  });

  test('prints in light colours, whole and within the paper', async () => {
    // Letter on its side: A4 is wider.
    await open({ colorScheme: 'dark', viewport: { width: 960, height: 700 } });
    await page.emulateMedia({ media: 'print' });
    expect(await background()).toBe(BACKGROUNDS.light);
    expect(await page.locator('nav').isVisible()).toBe(false);
    expect(await stickingOut()).toEqual({ out: [], excess: 0 });
    const folded = page.locator('details:not([open]) table, details:not([open]) dl').first();
    expect((await folded.boundingBox())!.height).toBeGreaterThan(0);
    expect((await page.pdf({ preferCSSPageSize: true })).subarray(0, 5).toString()).toBe('%PDF-');
  });
});
