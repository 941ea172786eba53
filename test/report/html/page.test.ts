import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planOf } from '../../runner/support.js';
import type { StageRecord } from '../../../src/report/collect.js';
import { figuresOf } from '../../../src/report/html/figures/index.js';
import { pictured } from '../../../src/report/html/previews-section.js';
import { reportHtml } from '../../../src/report/html/page.js';
import { findStageFiles } from '../../../src/report/html/stage-files.js';
import { readSchedules } from '../../../src/report/schedules.js';
import type { Table } from '../../../src/report/table.js';
import { collect, dataOf, ONLY_PLAN, resultsMaker } from '../support.js';
import { FACTORIAL, leaveFiles, setLosses, writePage } from './support.js';
import { metric } from '../../support/entries.js';

const results = resultsMaker();

const FILES = { links: new Map(), previews: new Map(), leftOut: new Set<string>() };
const HOSTILE = `</title></style></svg><script>alert('1')</script><img src=x onerror="alert(1)">`;

test('text of users is escaped wherever it stands', () => {
  const data = dataOf(planOf('grid: {objective: [scratch, masked]}'));
  const table: Table = {
    name: 'objectives',
    title: HOSTILE,
    caption: HOSTILE,
    columns: [
      { key: 'a', label: HOSTILE, description: HOSTILE, unit: HOSTILE },
      { key: 'b', label: 'b', description: 'b' },
    ],
    rows: [{ a: HOSTILE, b: HOSTILE }],
    summary: {},
  };
  const text = reportHtml({
    data: {
      ...data,
      sweeps: [{ name: HOSTILE, folder: HOSTILE, description: HOSTILE, leftOut: 0, ...ONLY_PLAN }],
      missing: [{ stage: [...data.stages.values()][0]!.stage, entry: HOSTILE, folder: HOSTILE, why: HOSTILE }],
    },
    metric: metric('finetune'),
    tables: [table],
    wide: [table],
    verdicts: [{ principle: HOSTILE, verdict: HOSTILE, text: HOSTILE }],
    notes: [HOSTILE],
    method: [HOSTILE],
    schedules: [],
    files: FILES,
  });
  expect(text.split('&lt;script&gt;alert(&#39;1&#39;)').length - 1).toBeGreaterThan(12);
  expect(text).not.toContain(`alert('1')`);
  expect(text).not.toContain('<img');
  expect(text.match(/<script/g)).toHaveLength(1);
});

describe('the page', () => {
  let accuracy = 0;
  const folder = results(FACTORIAL, () => ({ accuracy: 40 + ((accuracy++ * 7) % 11) }));
  setLosses(folder, [1, 0.8, 0.7]);
  const { text } = writePage(folder, {
    verdicts: [{ principle: 'Misalignment', verdict: 'holds', text: 'By 2 points.' }],
  });

  test('needs nothing from elsewhere', () => {
    expect(text).not.toMatch(/(?:src|href)="(?:https?:|\/\/|\/)|@import|url\(/);
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  test('says the verdicts before anything else', () => {
    expect(text).toContain('<dt>Misalignment: <span>holds</span></dt><dd>By 2 points.</dd>');
    expect(text.indexOf('By 2 points.')).toBeLessThan(text.indexOf('<main>'));
  });

  test('opens with the first chart and the reconstructions', async () => {
    await leaveFiles(folder);
    const sections = [...writePage(folder).text.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);
    expect(sections.slice(0, 3)).toEqual(['figure-objectives', 'reconstructions', 'figure-mask-misalignment']);
  });

  test('names each thing once, and refers to nothing that is not there', () => {
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    const references = [...text.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)].flatMap(([, id]) => id!.split(' '));
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test('links every stage to its folder', () => {
    for (const id of collect([folder]).stages.keys()) expect(text).toContain(`<a href="stages/${id}/">`);
  });

  test('shows that no command was recorded', () => {
    expect(text).toContain('<td>not recorded</td>');
  });

  test('stays small however many epochs there are', () => {
    setLosses(
      folder,
      Array.from({ length: 800 }, (_, i) => 1 / (i + 1)),
    );
    expect(writePage(folder).text.length).toBeLessThan(500_000);
  });

  test('draws no more charts of a figure than a page can hold, and says so', () => {
    const masks = Array.from({ length: 101 }, (_, i) => i / 200).join(', ');
    const many = results(`grid: {objective: [identity], maskRatio: [${masks}]}`, () => ({}));
    setLosses(many, [1, 0.5]);
    const { text: large } = writePage(many);
    expect(large).toContain('Drawn are the first 100 of 101 charts; runs.csv has the numbers of all.');
    expect(large.match(/<svg[^>]* aria-labelledby="figure-losses-/g)).toHaveLength(100);
    expect(text).not.toContain('Drawn are the first');
  });
});

describe('learning rates', () => {
  const folder = results(`grid: {objective: [masked, blurred], pretrain.epochs: [10, 20]}`, () => ({}));
  const { stages } = collect([folder]);
  /** Rises to 2e-4 and falls to zero. */
  const log = (id: string, factor: number): void => {
    const rates = [0, 1, 2, 1, 0].map((rate) => rate * 1e-4 * factor);
    const lines = rates.map((learningRate, i) => JSON.stringify({ step: 5 * i, epoch: i, loss: 1, learningRate }));
    // What a crash cut short, and what its next attempt appended to that.
    writeFileSync(join(folder, 'stages', id, 'metrics.jsonl'), [`{"step":{"step":1}`, ...lines, ''].join('\n'));
  };

  test('have no figure if nothing was logged', () => {
    expect(readSchedules(collect([folder]))).toEqual([]);
    expect(writePage(folder).text).not.toContain('id="figure-learning-rate"');
  });

  test('have a chart for each schedule, beside the losses', () => {
    const pretrained = [...stages.values()].filter(({ stage }) => stage.config.kind === 'pretrain');
    pretrained.forEach(({ stage }, i) => {
      log(stage.id, i + 1);
    });
    setLosses(folder, [1, 0.5]);
    const schedules = readSchedules(collect([folder]));
    expect(schedules.map(({ configuration }) => configuration.get('pretrain.epochs'))).toEqual(['10', '20']);
    const figures = figuresOf(collect([folder]), metric('finetune'), schedules);
    const ids = figures.map(({ id }) => id);
    expect(ids.indexOf('figure-learning-rate')).toBe(ids.indexOf('figure-losses') + 1);
    const [first] = figures.find(({ id }) => id === 'figure-learning-rate')!.charts;
    expect(first!.title).toBe('pretrain.epochs=10');
    expect(first!.description).toBe('At most 0.0002, at epoch 2; 0 at epoch 4.');
    expect(first?.kind === 'lines' && first.series[0]!.points.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [1, expect.closeTo(0.1)],
      [2, expect.closeTo(0.2)],
      [3, expect.closeTo(0.1)],
      [4, 0],
    ]);
  });
});

test('every result names the commands that computed it, quoted and escaped', () => {
  const data = dataOf(planOf('grid: {objective: [masked]}'));
  const commands = [['vitmim', 'sweep', 'a&b.yaml'], ['vitmim', 'sweep', 'two words.yaml'], null];
  const provenance = {
    configuration: 'stage.json' as const,
    attempts: commands.map((command) => ({
      origin: { vitmim: { version: '1.0.0', repository: null, lockfile: null }, spec: null, command },
      machine: { node: 'v20.0.0', platform: null, arch: null, release: null, cpu: null },
      device: { name: 'simd', description: 'A library', details: null },
    })),
  };
  const [[first, record]] = [...data.stages] as [[string, StageRecord]];
  const stages = new Map([...data.stages, [first, { ...record, provenance }]]);
  const common = {
    metric: metric('finetune'),
    tables: [],
    wide: [],
    verdicts: [],
    notes: [],
    method: [],
    schedules: [],
    files: FILES,
  };
  const text = reportHtml({ ...common, data: { ...data, stages } });
  expect(text).toContain('<code>vitmim sweep &#39;a&amp;b.yaml&#39;</code>');
  expect(text).toContain('<code>vitmim sweep &#39;two words.yaml&#39;</code>');
  expect(text).toContain('<td><a href="#command-1">command 1</a>, <a href="#command-2">command 2</a></td>');
  expect(text).toContain('1 stages have no provenance.json.');
});

test('a row of the stages has the task of its pre-training, and what it is sorted by', () => {
  const yaml = 'job: {evaluate: [knn]}\ngrid: {objective: [masked, blurred, scratch], seed: [3]}';
  const folder = results(yaml, (objective, _, { kind }) => {
    if (objective === 'blurred') return null;
    return kind === 'pretrain' ? { loss: 0.25 } : { accuracy: 40.5 };
  });
  const { text } = writePage(folder);
  const [table] = /<caption id="provenance-stages-caption">.*?<\/table>/s.exec(text)!;
  const rows = [...table.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<td([^>]*)>(.*?)<\/td>/gs)].slice(0, 5).map(([, attributes, content]) => {
      const value = /data-value="([^"]*)"/.exec(attributes!)?.[1];
      return value === undefined ? content : `${content} by ${value}`;
    }),
  );
  expect(rows.slice(1)).toEqual([
    ['pretrain', 'masked', '0.75 by 0.75', '3 by 3', 'loss 0.2500 by 0.25'],
    ['knn', 'masked', '0.75 by 0.75', '3 by 3', '40.50 % by 40.5'],
    ['pretrain', 'blurred', '0 by 0', '3 by 3', ''],
    ['knn', 'blurred', '0 by 0', '3 by 3', ''],
    ['knn', 'scratch', '', '3 by 3', '40.50 % by 40.5'],
  ]);
});

describe('figures', () => {
  const idsOf = (yaml: string): string[] => figuresOf(dataOf(planOf(yaml)), metric('finetune'), []).map(({ id }) => id);

  test('are those that the results allow', () => {
    expect(idsOf('grid: {objective: [masked], seed: [0, 1]}')).toEqual([]);
    expect(idsOf('grid: {objective: [scratch, masked]}')).toEqual(['figure-objectives']);
    expect(idsOf('grid: {objective: [masked], pretrain.epochs: [10, 20]}')).toContain('figure-efficiency');
    expect(idsOf(FACTORIAL.replace('[knn]', '[finetune]'))).toEqual([
      'figure-objectives',
      'figure-mask-misalignment',
      'figure-mask-style',
    ]);
  });

  test('average nothing but seeds', () => {
    const yaml = FACTORIAL.replace('[knn]', '[finetune]').replace('grid:', 'grid:\n  model.depth: [2, 3]');
    const figure = figuresOf(dataOf(planOf(yaml)), metric('finetune'), []).find(
      ({ id }) => id === 'figure-mask-misalignment',
    )!;
    expect(figure.charts.map(({ title }) => title)).toEqual([
      'style: preserved, model.depth=2',
      'style: preserved, model.depth=3',
      'style: blurred, model.depth=2',
      'style: blurred, model.depth=3',
    ]);
  });

  test('leave out of the factorial the results at only one mask ratio', () => {
    const yaml = 'grid: {objective: [identity, masked, zoomed-in, masked+zoomed-in, distorted]}';
    const figure = figuresOf(dataOf(planOf(yaml)), metric('finetune'), []).find(
      ({ id }) => id === 'figure-mask-misalignment',
    )!;
    const [chart] = figure.charts;
    expect(chart?.kind === 'lines' && chart.series.map(({ name }) => name)).toEqual(['none', 'zoomed-in']);
  });

  test.each(['0, 0.5, 0.75', '0.75, 0.5, 0', '0.5, 0.75, 0'])('have mask ratios %s in their order', (ratios) => {
    const yaml = FACTORIAL.replace('[knn]', '[finetune]').replace('0, 0.75', ratios);
    const figure = figuresOf(dataOf(planOf(yaml)), metric('finetune'), []).find(
      ({ id }) => id === 'figure-mask-misalignment',
    )!;
    const [chart] = figure.charts;
    expect(chart?.kind === 'lines' && chart.x.ticks).toEqual([0, 0.5, 0.75]);
  });

  test('show the mean over seeds with its standard deviation, and epochs in their order', () => {
    const folder = results(
      'grid: {objective: [masked], pretrain.epochs: [20, 10], seed: [0, 1]}',
      (_, seed, { kind }) => (kind === 'pretrain' ? {} : { accuracy: 50 + 2 * seed }),
    );
    const [chart] = figuresOf(collect([folder]), metric('finetune'), []).find(
      ({ id }) => id === 'figure-efficiency',
    )!.charts;
    expect(chart?.kind === 'lines' && chart.series[0]!.points).toEqual([
      { x: 10, y: 51, spread: Math.SQRT2 },
      { x: 20, y: 51, spread: Math.SQRT2 },
    ]);
  });
});

/** The header of a PNG file, and some text. */
const pictureOf = (id: string): Buffer =>
  Buffer.concat([
    Buffer.from('89504e470d0a1a0a0000000d49484452000000080000000800000000000000000000', 'hex'),
    Buffer.from(id),
  ]);

describe('previews', () => {
  const folder = results('grid: {objective: [masked, blurred], seed: [0, 1]}', () => ({}));
  const data = collect([folder]);
  const tasks = pictured(data, 'pretrain');
  const lists = tasks.map(({ stages }) => stages.map(({ id }) => id));
  const leave = (id: string): void => {
    writeFileSync(join(folder, 'stages', id, 'preview.png'), pictureOf(id));
  };
  const uriOf = (id: string): string => `data:image/png;base64,${pictureOf(id).toString('base64')}`;

  test('have no section if there are none', () => {
    expect(tasks.map(({ label, stages }) => [label, stages.length])).toEqual([
      ['masked (mask ratio 0.75)', 2],
      ['blurred', 2],
    ]);
    expect(writePage(folder).text).not.toContain('id="reconstructions"');
  });

  test('are in the page once for each task, with words for those who do not see them', () => {
    const [[, second], blurred] = lists as [string[], string[]];
    for (const id of [second!, ...blurred]) leave(id);
    const { text } = writePage(folder);
    // Seed 0 of the first task left none.
    expect(text.match(/<img [^>]*>/g)).toEqual([
      `<img src="${uriOf(second!)}" alt="Rows of original, input and reconstruction: masked (mask ratio 0.75), seed 1">`,
      `<img src="${uriOf(blurred[0]!)}" alt="Rows of original, input and reconstruction: blurred, seed 0">`,
    ]);
  });

  test('are left out and counted if they would make the page too large', () => {
    for (const id of lists.flat()) leave(id);
    const found = findStageFiles(data, folder, lists, uriOf(lists[0]![0]!).length + 1);
    expect([...found.leftOut]).toEqual([lists[1]![0]]);
    expect([...found.previews.keys()]).toEqual([lists[0]![0]]);
  });

  test('and links are relative to the folder of the page', () => {
    const elsewhere = join(folder, '..', 'a page');
    mkdirSync(elsewhere, { recursive: true });
    const id = lists[0]![0]!;
    expect(findStageFiles(data, elsewhere, []).links.get(id)).toMatch(new RegExp(`^\\.\\./sweep-\\d+/stages/${id}/$`));
  });
});
