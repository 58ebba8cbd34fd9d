// A web form's logic: what an engine is started with for a choice of the four fields. The rules are not here: they are
// in the tables of `quantmap schema --ui`, whose types `quantmap schema --typescript` prints.
import type { Decision, Launch, Table, UiCheckpoint, UiTable } from "./quantmap";

export type Choice = Record<string, string>;

export interface Answer {
  launch: Launch;
  decisions: Record<string, Decision>;
  precision: Record<string, string>;
}

function optionsOf(ui: UiTable, key: string): (string | number)[] {
  const field = ui.fields.find((candidate) => candidate.key === key && candidate.section === "");
  return field?.options?.map((option) => option.value) ?? ui.presets.map((preset) => preset.id);
}

/** The entry of a table: the options' numbers are the digits of a number in mixed radix. */
export function lookUp<Value>(ui: UiTable, table: Table<Value>, choice: Choice): Value {
  let place = 0;
  for (const key of table.by) {
    const options = optionsOf(ui, key);
    const digit = options.indexOf(choice[key]);
    if (digit < 0) throw new RangeError(`${key}: no option ${choice[key]}`);
    place = place * options.length + digit;
  }
  return table.values[table.index[place]];
}

/** The part of the tables for an engine (null: the documented mapping) and a kind of checkpoint. */
export function placesOf(
  ui: UiTable,
  engine: string,
  version: string | null,
  checkpoint: string,
): UiCheckpoint {
  const found = ui.engines
    .find((entry) => entry.engine === engine && entry.version === version)
    ?.checkpoints.find((entry) => entry.checkpoint === checkpoint);
  if (found === undefined) throw new RangeError(`no tables for ${engine} ${version} ${checkpoint}`);
  return found;
}

/** Launch arguments for a choice of the four fields, and what becomes of each field. */
export function answer(ui: UiTable, places: UiCheckpoint, choice: Choice): Answer {
  const decisions: Record<string, Decision> = {};
  for (const [key, place] of Object.entries(places.decisions)) {
    decisions[key] = lookUp(ui, ui.tables.decisions[place], choice);
  }
  return {
    launch: lookUp(ui, ui.tables.launches[places.launches], choice),
    decisions,
    precision: lookUp(ui, ui.tables.precision[places.precision], choice),
  };
}

/** Launch arguments for a preset of either form. */
export function launchOfPreset(ui: UiTable, places: UiCheckpoint, preset: string): Launch {
  return lookUp(ui, ui.tables.launches[places.presets], { preset });
}
