"""Kernel tables: what attention backends and quantization methods of each release take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from common import CatalogError, Writer, mask_of, text

if TYPE_CHECKING:
    from engines import Facts, Releases

_PARTS = ("gpu", "kind", "sinks", "dtypes", "kv", "heads")  # KernelPart, in its order
_KINDS = {"heads": ("heads",), "mla": ("mla",), "sparse_mla": ("sparse_mla",), "sparse_heads": ()}
# Orders of latent attention name the backends of both forms of it.
_ORDERED = {"heads": ("heads",), "mla": ("mla", "sparse_mla")}


class _Tables:
    def __init__(
        self, kernels: dict[str, Any], facts: Facts, releases: Releases, out: Writer
    ) -> None:
        self.dtypes: list[str] = kernels["dtypes"]
        self.names = sorted(kernels["backends"])
        self.facts = facts
        self.releases = releases
        self.out = out

    def interval(self, row: dict[str, Any]) -> str:
        return self.releases.interval(row)

    def dtype_mask(self, names: list[str] | None) -> int:
        return sum(1 << self.dtypes.index(name) for name in names or [])

    def models(self, names: tuple[str, ...]) -> str:
        return mask_of(list(names), self.facts.models)

    def numbers(self, items: list[int]) -> str:
        return self.out.array("std::uint16_t", (str(item) for item in items))

    def exception(self, row: dict[str, Any]) -> str:
        dtypes = self.dtype_mask(row.get("dtypes", self.dtypes))
        sinks = int(row["sinks"]) if "sinks" in row else -1
        kv = self.out.texts(row.get("kv", []))
        return f"{{{dtypes}, {kv}, {sinks}, {self.numbers(row.get('heads', []))}}}"

    def takes(self, row: dict[str, Any]) -> str:
        if row["kind"] not in _KINDS:
            raise CatalogError(f"unknown kind of attention {row['kind']!r}")
        unsure = sum(1 << _PARTS.index(_part(name)) for name in set(row.get("unsure", [])))
        runs = (f"{{{a}, {b}, {c}}}" for a, b, c in row.get("heads", []))
        refuses = (self.exception(item) for item in row.get("refuses", []))
        return (
            f"{{{self.facts.gpu_mask(row['gpus'])}, {self.models(_KINDS[row['kind']])}, "
            f"{self.dtype_mask(row['dtypes'])}, {unsure}, {str(row['sinks']).lower()}, "
            f"{self.out.texts(row['kv'])}, {self.out.texts(row.get('maybe_kv', []))}, "
            f"{self.out.array('HeadRun', runs)}, {self.out.array('KernelException', refuses)}}}"
        )

    def backend(self, name: str, rows: list[dict[str, Any]]) -> str:
        intervals = (
            f"{{{self.interval(row)}, {text(row.get('platform', ''))}, "
            f"{str(bool(row.get('absent'))).lower()}, "
            f"{self.out.array('KernelTakes', (self.takes(t) for t in row.get('takes', [])))}, "
            f"{text(_place(row.get('class', '')))}}}"
            for row in rows
        )
        return f"{{{text(name)}, {self.out.array('BackendInterval', intervals)}}}"

    def order(self, interval: dict[str, Any], row: dict[str, Any]) -> str:
        kinds = tuple(kind for name in row["kind"] for kind in _ORDERED[name])
        order = self.numbers([self.names.index(name) for name in row["order"]])
        return (
            f"{{{self.interval(interval)}, {self.facts.gpu_mask(row['gpus'])}, "
            f"{self.models(kinds)}, {self.numbers(row.get('heads', []))}, "
            f"{self.out.texts(row.get('kv', []))}, "
            f"{str(bool(row.get('unsure'))).lower()}, {order}}}"
        )

    def method(self, name: str, rows: list[dict[str, Any]]) -> str:
        intervals = (
            f"{{{self.interval(row)}, {row.get('capability', -1)}, "
            f"{self.dtype_mask(row.get('dtypes'))}, {text(_place(row['class']))}}}"
            for row in rows
        )
        return f"{{{text(name)}, {self.out.array('MethodInterval', intervals)}}}"

    def experts(self, name: str, rows: list[dict[str, Any]]) -> str:
        intervals = []
        for row in rows:
            takes = self.out.array(
                "ExpertsTakes",
                (
                    f"{{{self.facts.gpu_mask(item['gpus'])}, {self.out.texts(item['backends'])}, "
                    f"{self.out.texts(item['maybe'])}}}"
                    for item in row["takes"]
                ),
            )
            at = text(row["module"].replace(".", "/") + ".py")
            intervals.append(f"{{{self.interval(row)}, {takes}, {at}}}")
        return f"{{{text(name)}, {self.out.array('ExpertsInterval', intervals)}}}"

    def experts_of(self, row: dict[str, Any], schemes: list[str]) -> str:
        masks = self.facts.masks(dict(row))
        methods = self.out.texts(row.get("method", []))
        interval = self.releases.interval(row)
        return f"{{{interval}, {masks}, {methods}, {schemes.index(row['layer'])}}}"

    def meant(self, row: dict[str, Any]) -> str:
        mask = self.facts.checkpoint_mask(row["checkpoint"])
        methods = self.out.texts(row["method"])
        return f"{{{self.releases.interval(row)}, {mask}, {methods}, {text(row['as'])}}}"

    def own(self, row: dict[str, Any], targets: list[str]) -> str:
        mask = self.facts.checkpoint_mask(row["checkpoint"])
        unless = targets.index(row["unless"]) if "unless" in row else -1
        return (
            f"{{{self.releases.interval(row)}, {mask}, {self.out.texts(row.get('names', []))}, "
            f"{text(row.get('text', ''))}, {self.out.texts(row.get('beside', []))}, "
            f"{text(row.get('argument', ''))}, {unless}, {self.out.texts(row['evidence'])}}}"
        )


def _part(name: str) -> str:
    return "kind" if name == "sparse" else name


def _place(path: str) -> str:
    """`a.b.C` as the place in a release's sources: `a/b.py, C`."""
    module, _, name = path.rpartition(".")
    return f"{module.replace('.', '/')}.py, {name}" if module else ""


def compile_kernels(
    kernels: dict[str, Any] | None,
    checked: dict[str, Any] | None,
    facts: Facts,
    releases: Releases,
    out: Writer,
) -> str:
    if kernels is None or checked is None:
        return "{}"
    tables = _Tables(kernels, facts, releases, out)
    targets = list(checked["targets"])
    roles = checked.get("kernels", {})
    numbers = ", ".join(
        str(targets.index(roles[role])) if role in roles else "-1"
        for role in ("attention", "kv", "dtype", "method", "experts")
    )
    backends = (tables.backend(name, kernels["backends"][name]) for name in tables.names)
    orders = (tables.order(i, row) for i in kernels["orders"] for row in i["rows"])
    methods = (tables.method(*item) for item in sorted(kernels["methods"].items()))
    schemes = sorted(kernels.get("experts", {}))
    experts = (tables.experts(name, kernels["experts"][name]) for name in schemes)
    experts_of = (tables.experts_of(row, schemes) for row in roles.get("layers", []))
    meant = (tables.meant(row) for row in roles.get("methods", []))
    own = (tables.own(row, targets) for row in roles.get("own", []))
    first, last, step = kernels["head_sizes"]
    return (
        f"{{{out.texts(kernels['dtypes'])}, {text(roles.get('unset', ''))}, "
        f"{first}, {last}, {step}, "
        f"{out.array('AttentionBackend', backends)}, {out.array('BackendOrder', orders)}, "
        f"{out.array('MethodLimits', methods)}, "
        f"{out.array('ExpertsScheme', experts)}, {out.array('ExpertsOf', experts_of)}, "
        f"{out.array('MethodMeant', meant)}, {out.array('OwnMethod', own)}, "
        f"{{{numbers}}}, {out.texts(roles.get('by_head', []))}}}"
    )
