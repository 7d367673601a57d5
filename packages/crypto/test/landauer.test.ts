import { landauerCertificate, landauerHeaders } from '../src/index.ts';

describe('landauerHeaders', () => {
  it('are the three published figures, by formula', () => {
    expect(landauerHeaders()).toEqual({
      'X-Zeq-Landauer-Energy': '3.324e+56',
      'X-Zeq-Landauer-Suns-Required': '2.770e+12',
      'X-Zeq-Landauer-Bits': '256',
    });
  });
});

describe('landauerCertificate', () => {
  it('gives k_B·T·ln 2 for each state', () => {
    expect(landauerCertificate(1)).toEqual({
      bits: 1,
      energyJoules: '5.742e-21',
      sunsRequired: '4.785e-65',
      temperatureKelvin: 300,
    });
  });

  it.each([0, -1, 1.5, 1001, NaN])('refuses %d bits', (bits) => {
    expect(() => landauerCertificate(bits)).toThrow(RangeError);
  });
});
