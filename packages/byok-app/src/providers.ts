import { PROVIDERS, type ProviderId, type ProviderPreset } from '@zeq/contracts';

export type Preset = ProviderPreset & { id: ProviderId };

/** The presets of contracts, in their order. */
export const PRESETS: readonly Preset[] = Object.entries(PROVIDERS).map(([id, preset]) => ({
  ...(preset as ProviderPreset),
  id: id as ProviderId,
}));

export const presetOf = (id: string | null): Preset | undefined => PRESETS.find((preset) => preset.id === id);

/**
 * Letters and a colour for each provider's tile; white on it has a contrast of at least 4.5. Their own marks are not ours to
 * use.
 */
const TILES: Record<ProviderId, readonly [string, string]> = {
  openai: ['AI', '#0c7a61'],
  anthropic: ['A', '#a8492b'],
  gemini: ['G', '#2864d8'],
  'azure-openai': ['Az', '#0067b8'],
  mistral: ['M', '#b4470b'],
  deepseek: ['DS', '#3f52d9'],
  fireworks: ['F', '#6a2fc9'],
  groq: ['Gq', '#b0331f'],
  openrouter: ['OR', '#4c5565'],
  together: ['T', '#0a6c8f'],
  ollama: ['Ol', '#2d2f36'],
};
const OTHERS = ['#565b6c', '#3e5f8a', '#6b4f8f', '#7a4d4d', '#3f6d5a', '#75602a'];

/** The tile of an API: its provider's, or the beginning of its name in a colour that stays the same for it. */
export function tileOf(provider: string | null, name: string): { letters: string; colour: string } {
  const preset = presetOf(provider);
  if (preset !== undefined) {
    const [letters, colour] = TILES[preset.id];
    return { letters, colour };
  }
  const sum = [...name].reduce((total, char) => total + (char.codePointAt(0) ?? 0), 0);
  return { letters: name.slice(0, 2).toUpperCase(), colour: OTHERS[sum % OTHERS.length] ?? '#565b6c' };
}
