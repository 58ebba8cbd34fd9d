"""The autotuner's preset selector of examples/: compiles in its frontend, answers as the core."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python import tsc

NAMES = ("web_form.ts", "preset_selector.ts", "QuantizationPresetSelector.tsx")
# The part of the frontend's own types that the component is given, in their shape.
THEIR_TYPES = """export interface QuantizationConfig {
  presets?: string[];
  gemm_dtype?: string | string[];
  kvcache_dtype?: string | string[];
  attention_dtype?: string | string[];
  moe_dtype?: string | string[];
}
"""
FLAGS = (
    *("--strict", "--noUnusedLocals", "--skipLibCheck", "--esModuleInterop", "--outDir", "out"),
    *("--jsx", "react", "--target", "es2020", "--module", "commonjs"),
)


@pytest.fixture(scope="module")
def frontend(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like the frontend's, with the component compiled in it."""
    compiler = tsc.compiler()
    made = tmp_path_factory.mktemp("frontend")
    modules = Path(compiler[1]).parents[2]
    (made / "node_modules").symlink_to(modules)
    place = made / "src" / "components"
    place.mkdir(parents=True)
    (made / "src" / "types").mkdir()
    (made / "src" / "types" / "api.ts").write_text(THEIR_TYPES, encoding="utf-8")
    (place / "quantmap.ts").write_text(quantmap.typescript_types(), encoding="utf-8")
    for name in NAMES:
        shutil.copy(tsc.ROOT / "examples" / name, place)
    done = tsc.run([*compiler, *FLAGS, f"src/components/{NAMES[-1]}"], made)
    assert (done.returncode, done.stdout) == (0, "")
    return made


def shown(frontend: Path, ui: Any, script: str) -> Any:
    """What the compiled logic gives."""
    (frontend / "ui.json").write_text(json.dumps(ui), encoding="utf-8")
    text = f"""
      const {{ presetsShown, toggled, words }} = require("./out/components/preset_selector.js");
      const {{ placesOf }} = require("./out/components/web_form.js");
      const ui = require("./ui.json");
      console.log(JSON.stringify({script}));"""
    (frontend / "script.js").write_text(text, encoding="utf-8")
    done = tsc.run([tsc.node(), "script.js"], frontend)
    assert done.returncode == 0, done.stdout[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("version", [None, "latest"])
def test_each_preset_shows_its_launch_and_its_twin(frontend: Path, version: str | None) -> None:
    name = "tensorrt_llm" + (f"@{version}" if version else "")
    ui = quantmap.ui_table([name])
    (entry,) = [one for one in ui["engines"] if (one["version"] is None) is (version is None)][:1]
    place = json.dumps([entry["engine"], entry["version"]])[1:-1]
    found = shown(frontend, ui, f'presetsShown(ui, placesOf(ui, {place}, "unquantized"))')
    launches: dict[str, str] = {}
    for one in found:
        mapping = quantmap.explain(
            entry["engine"], {"preset": one["id"]}, engine_version=entry["version"]
        )
        flags = [f if v is True else f"{f} {v}" for f, v in mapping.args.items()]
        variables = [f"{key}={value}" for key, value in mapping.env.items()]
        assert one["line"] == " ".join([*variables, *flags, *mapping.files])
        key = json.dumps([mapping.args, mapping.env, mapping.files])
        assert one["same"] == launches.get(key)
        launches.setdefault(key, one["id"])
    assert [one["id"] for one in found] == [preset["id"] for preset in ui["presets"]]


def test_a_click_adds_or_removes_in_the_order_of_the_list(frontend: Path) -> None:
    ui = quantmap.ui_table(["tensorrt_llm"])
    first, second, *_ = [preset["id"] for preset in ui["presets"]]
    asked = json.dumps([[[second], first], [[first, second], first]])
    got = shown(frontend, ui, f"{asked}.map(([chosen, id]) => toggled(ui, chosen, id))")
    assert got == [[first, second], [second]]
