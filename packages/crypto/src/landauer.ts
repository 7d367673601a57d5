/**
 * Landauer figures: the least energy that counting through a key space would take, at k_B·T·ln 2 for each state. They bound
 * exhaustive search and nothing else: they say nothing about a weak passphrase or a side channel.
 */

/** Boltzmann's constant, J/K (exact since the SI of 2019). */
const BOLTZMANN = 1.380649e-23;
/** Room temperature, K. */
const TEMPERATURE = 300;
/** What the Sun radiates over ten thousand million years, J: 3.828e26 W, rounded. */
const SUN_LIFETIME_JOULES = 1.2e44;

export interface LandauerCertificate {
  bits: number;
  /** k_B·T·ln 2·2^bits, in joules, as `d.ddde+dd`. */
  energyJoules: string;
  /** That energy in whole lifetimes of the Sun. */
  sunsRequired: string;
  temperatureKelvin: number;
}

/**
 * The certificate for a key of so many bits.
 *
 * @throws RangeError unless bits is a whole number from 1 to 1000 (a double holds no more).
 */
export function landauerCertificate(bits: number): LandauerCertificate {
  if (!Number.isInteger(bits) || bits < 1 || bits > 1000) {
    throw new RangeError(`Landauer: expected 1 to 1000 bits, got ${bits}`);
  }
  const energy = BOLTZMANN * TEMPERATURE * Math.LN2 * 2 ** bits;
  return {
    bits,
    energyJoules: energy.toExponential(3),
    sunsRequired: (energy / SUN_LIFETIME_JOULES).toExponential(3),
    temperatureKelvin: TEMPERATURE,
  };
}

/** The three headers on every answer of the gateway, for the 256-bit keys used throughout. */
export function landauerHeaders(): Record<string, string> {
  const { bits, energyJoules, sunsRequired } = landauerCertificate(256);
  return {
    'X-Zeq-Landauer-Energy': energyJoules,
    'X-Zeq-Landauer-Suns-Required': sunsRequired,
    'X-Zeq-Landauer-Bits': String(bits),
  };
}
