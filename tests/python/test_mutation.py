"""The mutants have their place in the core; running them is a command of its own."""

from __future__ import annotations

from tests.mutation.mutants import Mutant, read, stale


def test_mutants_have_their_place() -> None:
    mutants = read()
    assert len({mutant.id for mutant in mutants}) == len(mutants)
    assert len(mutants) - len(stale(mutants)) >= 60  # a refactoring may take some away, not all
    rooms = {mutant.room for mutant in mutants}
    assert rooms == {"mapping", "judgement", "plan", "memory", "model"}


def test_a_mutant_is_switched_by_its_number() -> None:
    plain = Mutant("a", "plan", "f.cpp", "", "a < b", "a <= b")
    assert plain.applied("if (a < b) c();", 7) == (
        "if ((quantmap_mutant(7) ? (a <= b) : (a < b))) c();"
    )
    text = Mutant("b", "plan", "f.cpp", "", "++a;", "if (!{on}) ++a;")
    assert text.applied("{ ++a; }", 8) == "{ if (!quantmap_mutant(8)) ++a; }"
