"""Recipes: how an engine, in a release, turns numbers into codes and scales."""

from __future__ import annotations

from .. import _core
from ..result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..words import Count, TensorUse, Tile

__all__ = ["Recipe", "recipes"]


class Recipe(Result):
    """How one engine quantizes one kind of tensor, as a release was read.

    Attributes:
        name: ``WHO@RELEASE:SCHEME``, as every function here takes it.
        who: the engine's id, or the library that makes checkpoints.
        scheme: the engine's own word.
        since: the first release that was read.
        until: the first release that does otherwise, or None.
        assumed: whether no release was seen to do it.
        use: ``weight``, ``activation`` or ``cache``.
        element: what a code is: ``i8``, ``i4``, ``e4m3``, ``e5m2`` or ``e2m1``.
        tile: rows and columns that share a scale; 0 means all of them.
        whole_tiles: whether a size that the columns of a tile do not divide is refused.
        truncates: whether integers are rounded toward zero.
        scale_bits: how many bits a scale takes.
        two_levels: whether there is a scale over all scales.
        zero_points: whether each tile has a zero point.
        title: what it is, in words.
        formula: the computation.
        format: how compressed-tensors calls a checkpoint that holds this, or None.
        stored_weights: the arguments of the weights in such a checkpoint, as JSON, or None.
        stored_activation: those of the input activations, or None.
        evidence: where it was read.
    """

    name: str
    who: str
    scheme: str
    since: str
    until: str | None
    assumed: bool
    use: TensorUse
    element: str
    tile: Tile
    whole_tiles: bool
    truncates: bool
    scale_bits: Count
    two_levels: bool
    zero_points: bool
    title: str
    formula: str
    format: str | None
    stored_weights: str | None
    stored_activation: str | None
    evidence: list[str]

    _shown = ("name",)
    _kept = ("stored_weights", "stored_activation")

    @property
    def rounds_whole(self) -> bool:
        """Whether codes are integers.

        Returns:
            bool: True for int8 and int4.
        """
        return self.element in ("i8", "i4")

    def bits_per_weight(self, rows: int, columns: int) -> float:
        """What one number takes, its share of scales and zero points counted.

        Args:
            rows: of the matrix.
            columns: of the matrix.

        Returns:
            float: bits.
        """
        bits = 4 if self.element in ("i4", "e2m1") else 8
        tall, wide = self.tile[0] or rows, self.tile[1] or columns
        if not rows or not columns:
            return float(bits)
        tiles = -(-rows // tall) * -(-columns // wide)
        extra = tiles * (self.scale_bits + (4 if self.zero_points else 0))
        extra += 32 if self.two_levels else 0
        return bits + extra / (rows * columns)


def recipes(engine: str | None = None) -> list[Recipe]:
    """Every recipe that is known, with its formula and where it was read.

    Args:
        engine: an engine's id, or the name of a library that makes checkpoints; None is all.

    Returns:
        list[Recipe]: one for each scheme and interval of releases.

    Raises:
        ConfigError: nobody of that name has recipes.

    Example:
        >>> old, new = [r for r in quantmap.recipes("sglang_jax") if r.scheme == "int8/channel"]
        >>> old.name, old.truncates, new.truncates
        ('sglang_jax@0.0.3rc0:int8/channel', True, False)
        >>> old.formula
        'scale = max|row|·(1/127); code = trunc(clip(w·(1/scale), -128, 127))'
    """
    out = _core.recipe_rows()
    if engine is None:
        return out
    name = engine.lower().replace("-", "_") if isinstance(engine, str) else repr(engine)
    found = [recipe for recipe in out if recipe.who == name]
    if not found:
        _core.find_recipe(f"{name}:")
    return found


def find_recipe(name: str | Recipe) -> Recipe:
    """The recipe of a name; a recipe is given back."""
    if isinstance(name, Recipe):
        return name
    return _core.find_recipe(name if isinstance(name, str) else repr(name))
