import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Every figure that a source of ours names. */
function figuresOfTheCode(): Set<string> {
  const folders = [
    'packages/service-kit/src',
    ...readdirSync(join(ROOT, 'services')).map((name) => `services/${name}/src`),
  ];
  const texts = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => read(join(folder, name))),
  );
  return new Set(texts.flatMap((text) => [...text.matchAll(/'(zeq_[a-z_]+)'/g)].map(([, name]) => name!)));
}

describe.each(['monitoring/alerts.yml', 'monitoring/dashboard.json'])('%s', (path) => {
  it('asks only for figures that a service gives', () => {
    const known = figuresOfTheCode();
    const asked = [...read(path).matchAll(/\bzeq_[a-z_]+\b/g)].map(([name]) =>
      name.replace(/_(bucket|sum|count)$/, ''),
    );

    expect(asked.length).toBeGreaterThan(10);
    expect([...new Set(asked)].filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('monitoring/dashboard.json', () => {
  it('has a title, a unit and a question in every panel, and no two in one place', () => {
    const { panels } = JSON.parse(read('monitoring/dashboard.json')) as {
      panels: { title: string; gridPos: { x: number; y: number }; targets: { expr: string }[] }[];
    };
    const places = panels.map(({ gridPos: { x, y } }) => `${x},${y}`);

    expect(
      panels.filter(({ title, targets }) => title === '' || targets.some(({ expr }) => expr === '')),
    ).toEqual([]);
    expect(new Set(places).size).toBe(panels.length);
  });
});
