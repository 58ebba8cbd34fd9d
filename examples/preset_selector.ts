// What a preset selector shows: each preset, what an engine is started with for it, and which of them are one launch.
// The rules are in the tables of `quantmap schema --ui`; `web_form.ts` reads them.
import type { Launch, UiCheckpoint, UiTable } from "./quantmap";
import { launchOfPreset } from "./web_form";

export interface Shown {
  id: string;
  useCase: string;
  line: string;
  same: string | null; // the first preset that comes to the same launch
}

/** A launch as words, as they would be typed. */
export function words(launch: Launch): string {
  const variables = Object.entries(launch.env).map(([name, value]) => `${name}=${value}`);
  const flags = Object.entries(launch.args).map(([flag, value]) => (value === true ? flag : `${flag} ${value}`));
  return [...variables, ...flags, ...Object.keys(launch.files)].join(" ");
}

/** Every preset with its launch on one engine release. */
export function presetsShown(ui: UiTable, places: UiCheckpoint): Shown[] {
  const first = new Map<string, string>();
  return ui.presets.map((preset) => {
    const launch = launchOfPreset(ui, places, preset.id);
    const key = JSON.stringify([launch.args, launch.env, launch.files]);
    const same = first.get(key) ?? null;
    if (same === null) first.set(key, preset.id);
    return { id: preset.id, useCase: preset.use_case, line: words(launch), same };
  });
}

/** The presets chosen after one was clicked: in the order of the list, so that a task reads the same. */
export function toggled(ui: UiTable, chosen: readonly string[], id: string): string[] {
  const wanted = new Set(chosen);
  if (!wanted.delete(id)) wanted.add(id);
  return ui.presets.map((preset) => preset.id).filter((preset) => wanted.has(preset));
}
