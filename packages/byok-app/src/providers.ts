import { PROVIDERS, type ProviderId, type ProviderPreset } from '@zeq/contracts';

export type Preset = ProviderPreset & { id: ProviderId };

/** The presets of contracts, in their order. */
export const PRESETS: readonly Preset[] = Object.entries(PROVIDERS).map(([id, preset]) => ({
  ...(preset as ProviderPreset),
  id: id as ProviderId,
}));

export const presetOf = (id: string | null): Preset | undefined => PRESETS.find((preset) => preset.id === id);

/** A colour for each provider's tile; white letters on it have a contrast of at least 4.5. Marks of others are not used. */
const COLOURS: Record<ProviderId, string> = {
  openai: '#0c7a61',
  anthropic: '#a8492b',
  gemini: '#2864d8',
  'azure-openai': '#0067b8',
  mistral: '#b4470b',
  deepseek: '#3f52d9',
  fireworks: '#6a2fc9',
  groq: '#b0331f',
  openrouter: '#4c5565',
  together: '#0a6c8f',
  ollama: '#2d2f36',
};
const OTHERS = ['#565b6c', '#3e5f8a', '#6b4f8f', '#7a4d4d', '#3f6d5a', '#75602a'];

/** The tile of an API: its provider's colour, or one that stays the same for its name. */
export function tileOf(provider: string | null, name: string): { letters: string; colour: string } {
  const preset = presetOf(provider);
  const words = (preset?.label ?? name).split(/[\s._-]+/).filter(Boolean);
  const letters = (words.length > 1 ? words.slice(0, 2).map((word) => word[0]) : [name.slice(0, 2)]).join('');
  const sum = [...name].reduce((total, char) => total + (char.codePointAt(0) ?? 0), 0);
  const colour = preset === undefined ? OTHERS[sum % OTHERS.length] : COLOURS[preset.id];
  return { letters: letters.toUpperCase(), colour: colour ?? '#565b6c' };
}
