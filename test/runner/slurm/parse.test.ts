import { UsageError } from '../../../src/common/errors.js';
import { parseMaxArraySize, parseSacct, parseSbatch, parseSqueue } from '../../../src/runner/slurm/parse.js';

describe('squeue', () => {
  it('tells tasks, their states and reasons', () => {
    expect(parseSqueue('12|0|RUNNING|None|a.1\n12|3|PENDING|Dependency|a.1\n')).toEqual([
      { job: '12', index: 0, state: 'RUNNING', reason: null, jobName: 'a.1' },
      { job: '12', index: 3, state: 'PENDING', reason: 'Dependency', jobName: 'a.1' },
    ]);
  });

  it('may know nothing', () => {
    expect(parseSqueue('')).toEqual([]);
  });

  it.each([
    ['too few columns', '12|0|RUNNING|None'],
    ['too many columns', '12|0|RUNNING|None|a|b'],
    ['a job that is no array', '12|N/A|RUNNING|None|a'],
    ['an unknown state', '12|0|DANCING|None|a'],
    ['a member of every object', '12|0|toString|None|a'],
  ])('is not understood with %s', (_what, line) => {
    expect(() => parseSqueue(`${line}\n`)).toThrow(UsageError);
    expect(() => parseSqueue(`${line}\n`)).toThrow(line);
  });
});

describe('sacct', () => {
  it('tells ended tasks, and by whom they were cancelled is left out', () => {
    expect(parseSacct('12_0|CANCELLED by 1000|None|a\n12_[1-4%2]|PENDING|None|a\n12_7|TIMEOUT|TimeLimit|a\n')).toEqual([
      { job: '12', index: 0, state: 'CANCELLED', reason: null, jobName: 'a' },
      { job: '12', index: 7, state: 'TIMEOUT', reason: 'TimeLimit', jobName: 'a' },
    ]);
  });

  it('is not understood with a job that is no task', () => {
    expect(() => parseSacct('12|COMPLETED|None|a\n')).toThrow('12|COMPLETED');
  });
});

it.each([
  ['123\n', '123'],
  ['123;cluster\n', '123'],
])('sbatch tells %j', (text, job) => {
  expect(parseSbatch(text)).toBe(job);
});

it('sbatch must tell a number', () => {
  expect(() => parseSbatch('Submitted batch job 123')).toThrow(UsageError);
});

describe('the size of arrays', () => {
  it('is found in the configuration', () => {
    expect(parseMaxArraySize('MailProg  = /bin/mail\nMaxArraySize            = 1001\nMaxBatchRequeue = 5\n')).toBe(
      1001,
    );
  });

  it.each(['MaxBatchRequeue = 5\n', 'MaxArraySize = 0\n'])('must be there: %j', (text) => {
    expect(() => parseMaxArraySize(text)).toThrow(UsageError);
  });
});
