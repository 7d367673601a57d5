import { residentByUse } from '../resident.ts';

const smaps = (...mappings: [range: string, rights: string, name: string, rssKb: number][]) =>
  mappings
    .map(([range, rights, name, rssKb]) =>
      [
        `${range} ${rights} 00000000 00:00 0${name === '' ? ' ' : `          ${name}`}`,
        'Size:               2048 kB',
        `Rss:             ${rssKb} kB`,
        'VmFlags: rd wr mr mw me ac',
      ].join('\n'),
    )
    .join('\n');

const KIB = 1024;

describe('residentByUse', () => {
  it('tells mapped files, the heap and the arenas of malloc, and all else apart', () => {
    const text = smaps(
      ['00400000-07d6e000', 'r-xp', '/usr/bin/node', 300],
      ['0c000000-0d000000', 'rw-p', '[heap]', 40],
      ['7f0000000000-7f0000800000', 'rw-p', '', 5],
      ['7f0000800000-7f0004000000', '---p', '', 0],
      ['7f0123440000-7f0123480000', 'rw-p', '', 256],
      ['7ffc00000000-7ffc00021000', 'rw-p', '[stack]', 7],
    );

    expect(residentByUse(text)).toEqual({ file: 300 * KIB, malloc: 45 * KIB, anonymous: 263 * KIB });
  });

  it('takes no page of V8 for an arena because it lies at such an address', () => {
    const text = smaps(
      ['7f0004000000-7f0004040000', 'rw-p', '', 256],
      ['7f0004040000-7f0004080000', '---p', '', 0],
      ['7f0008000000-7f0008040000', 'rw-p', '', 256],
    );

    expect(residentByUse(text)).toEqual({ file: 0, malloc: 0, anonymous: 512 * KIB });
  });
});
