import { describeDimensions } from '../src/units/dimensions.ts';
import { parseQuantity, toSi } from '../src/units/quantity.ts';
import { parseUnit } from '../src/units/unit.ts';
import { catalogue } from './kit/engine.ts';

const si = (text: string) => {
  const quantity = parseQuantity(text);
  if (quantity?.unit === undefined) return quantity?.number;
  return [toSi(quantity.number, quantity.unit), describeDimensions(quantity.unit.dimensions)];
};

describe('parseQuantity', () => {
  it.each<[string, number, string]>([
    ['5 kg', 5, 'kg'],
    ['5kg', 5, 'kg'],
    ['-1.5e3 g', -1.5, 'kg'],
    ['100 km/h', 27.77777777777778, 'm s^-1'],
    ['1 kg m/s^2', 1, 'kg m s^-2'],
    ['1 kg*m/s^2', 1, 'kg m s^-2'],
    ['1 m/s/s', 1, 'm s^-2'],
    ['1 m s⁻²', 1, 'm s^-2'],
    ['2 m²', 2, 'm^2'],
    ['1 J/(mol K)', 1, 'kg m^2 s^-2 K^-1 mol^-1'],
    ['5 1/s', 5, 's^-1'],
    ['25 degC', 298.15, 'K'],
    ['25 °C', 298.15, 'K'],
    ['-40 °F', 233.15, 'K'],
    ['10 Ω', 10, 'kg m^2 s^-3 A^-2'],
    ['3 µm', 3e-6, 'm'],
    ['30 %', 0.3, '1'],
    ['90 deg', Math.PI / 2, '1'],
    ['8 bit', 8, '1'],
    ['1 keV', 1.602176634e-16, 'kg m^2 s^-2'],
    ['1 au', 149_597_870_700, 'm'],
    ['760 mmHg', 101_325, 'kg m^-1 s^-2'],
    ['60 rpm', 2 * Math.PI, 's^-1'],
  ])('reads %s', (text, value, dimensions) => {
    const [number, unit] = si(text) as [number, string];

    expect(unit).toBe(dimensions);
    expect(Math.abs(number - value)).toBeLessThanOrEqual(1e-6 * Math.abs(value));
  });

  it.each([
    ['5', 5],
    ['-3.5', -3.5],
    ['−3', -3],
    ['.5', 0.5],
    ['1e-7', 1e-7],
  ])('reads the bare number %s', (text, value) => {
    expect(si(text)).toBe(value);
  });

  it.each([
    '',
    'kg',
    '5 blorp',
    '5 J/mol K', // J/(mol K)? (J/mol)·K?
    '5 J/mol*K',
    '1e400 m',
    '5 kg^99',
    '5 kg^-13',
    '5 kg^1.0000000000000000001',
    '5 (kg',
    '5 kg)',
    '5 m/',
    '5 /m',
    '5 * m',
    '5 m**2',
    '5 m^^2',
    '5 ((m))',
    '5 degC/m',
    '5 constructor',
    '5 __proto__',
    '5 toString',
    '0x10 m',
    'Infinity',
    'NaN',
    '5 Ym^12 Ym^12 Ym^12',
    `5 ${'m '.repeat(13)}`,
    `5 ${'m'.repeat(200)}`,
    `${'9'.repeat(50)} m`,
    '1;2',
    '5 m; import',
  ])('refuses %j', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});

describe('parseUnit', () => {
  it('reads every unit of the catalogue as a coherent one', () => {
    const units = new Set(
      catalogue.operators.flatMap(({ record }) => [
        ...record.parameters.map(({ unit }) => unit),
        ...(record.result === null ? [] : [record.result.unit]),
      ]),
    );

    expect(units.size).toBe(131);
    expect([...units].filter((unit) => parseUnit(unit)?.scale !== 1)).toEqual([]);
  });
});
