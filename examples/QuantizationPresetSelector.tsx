// The autotuner's preset selector. Lies in its frontend/src/components, beside `preset_selector.ts`, `web_form.ts` and
// what `quantmap schema --typescript` prints as `quantmap.ts`; the tables come from `quantmap schema --ui`.
import React, { useMemo } from "react";
import { QuantizationConfig } from "../types/api";
import type { UiTable } from "./quantmap";
import { presetsShown, toggled } from "./preset_selector";
import { placesOf } from "./web_form";

interface QuantizationPresetSelectorProps {
  value: QuantizationConfig;
  onChange: (config: QuantizationConfig) => void;
  ui: UiTable;
  engine: string;
  version: string | null; // null: the documented mapping
  checkpoint?: string;
}

export const QuantizationPresetSelector: React.FC<QuantizationPresetSelectorProps> = ({
  value,
  onChange,
  ui,
  engine,
  version,
  checkpoint = "unquantized",
}) => {
  const shown = useMemo(
    () => presetsShown(ui, placesOf(ui, engine, version, checkpoint)),
    [ui, engine, version, checkpoint],
  );
  const chosen = value.presets ?? [];
  return (
    <fieldset>
      <legend>Presets to compare</legend>
      {shown.map((preset) => (
        <label key={preset.id}>
          <input
            type="checkbox"
            checked={chosen.includes(preset.id)}
            onChange={() => onChange({ ...value, presets: toggled(ui, chosen, preset.id) })}
          />
          <strong>{preset.id}</strong> {preset.useCase}
          <code>{preset.line}</code>
          {preset.same !== null && <em>the same launch as {preset.same}</em>}
        </label>
      ))}
    </fieldset>
  );
};
