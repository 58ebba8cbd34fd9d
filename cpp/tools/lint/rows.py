"""The documented rows of an engine decide every case, once, and say truly what they do."""

from __future__ import annotations

from itertools import chain

from .model import METHOD, Catalog, Engine, Finding, Setting, first_match


def _fields(catalog: Catalog, engine: Engine) -> list[str]:
    return [name for form in ("four_field", "unified") for name in engine.data["order"][form]]


def exhaustive(catalog: Catalog) -> list[Finding]:
    """Every value of every mapped field is matched by a row, whatever the other fields say.

    A method without any row is not known to the engine, which is the fallback chain's business.
    """
    out = []
    for engine in catalog.engines:
        for name in _fields(catalog, engine) if engine.rows else ():
            rows = engine.rows_of(name)
            unknown = set()
            if name == METHOD:
                known = set(chain.from_iterable(row["is"] for _, row in rows if row["is"] != "*"))
                if all(row["is"] != "*" for _, row in rows):
                    unknown = set(catalog.asked(name)) - known
            missing: dict[str, tuple[Setting, str]] = {}
            for setting in catalog.settings(catalog.support(name, engine)):
                if name not in setting or setting[name] in unknown:
                    continue
                for checkpoint in catalog.checkpoints(name):
                    if first_match(rows, setting, checkpoint) is None:
                        missing.setdefault(setting[name], (setting, checkpoint))
            for value, (setting, checkpoint) in missing.items():
                problem = (
                    f"no row matches {value!r}, as in {setting} on a model that is {checkpoint}"
                )
                cure = f"add a row for {name}"
                out.append(
                    Finding("exhaustive", engine.file, f"documented.rows of {name}", problem, cure)
                )
    return out


def reachable(catalog: Catalog) -> list[Finding]:
    """Every row, and every option that it names, decides some case."""
    out = []
    for engine in catalog.engines:
        for name in dict.fromkeys(row["field"] for row in engine.rows):
            rows = engine.rows_of(name)
            decided: dict[int, set[str]] = {index: set() for index, _ in rows}
            for setting in catalog.settings(catalog.support(name, engine)):
                for checkpoint in catalog.checkpoints(name) if name in setting else ():
                    index = first_match(rows, setting, checkpoint)
                    if index is not None:
                        decided[index].add(setting[name])
            for index, row in rows:
                place = engine.place(index)
                if not decided[index]:
                    problem = "earlier rows match every case of this one"
                    out.append(
                        Finding("reachable", engine.file, place, problem, "move it up, or drop it")
                    )
                    continue
                for option in [] if row["is"] == "*" else row["is"]:
                    if option not in decided[index]:
                        problem = f"earlier rows match every case of {option!r}"
                        out.append(
                            Finding("reachable", engine.file, place, problem, "drop the option")
                        )
    return out


def grouped(catalog: Catalog) -> list[Finding]:
    """Rows of one field stand together, fields in mapping order."""
    out = []
    for engine in catalog.engines:
        seen = list(dict.fromkeys(row["field"] for row in engine.rows))
        blocks = [
            row["field"]
            for i, row in enumerate(engine.rows)
            if i == 0 or engine.rows[i - 1]["field"] != row["field"]
        ]
        wanted = [name for name in _fields(catalog, engine) if name in seen]
        if blocks != seen:
            again = next(name for name in seen if blocks.count(name) > 1)
            problem = f"the rows of {again!r} do not stand together"
            out.append(
                Finding("grouped", engine.file, "documented.rows", problem, "move them together")
            )
        elif seen != wanted:
            problem = f"the fields come as {seen}"
            cure = f"order them as they are mapped: {wanted}"
            out.append(Finding("grouped", engine.file, "documented.rows", problem, cure))
    return out


def _replaced(catalog: Catalog, engine: Engine, index: int) -> set[str]:
    """The targets of a row that an earlier field has set already in some case."""
    row = engine.rows[index]
    name = row["field"]
    order = engine.data["order"][catalog.fields[name]["form"]]
    mine = engine.routes(row)
    out: set[str] = set()
    for earlier in order[: order.index(name)]:
        others = [(i, other) for i, other in engine.rows_of(earlier)]
        common = {
            t for _, other in others for t, r in mine.items() if r in engine.routes(other).values()
        } - out
        if not common:
            continue
        support = catalog.support(name, engine) | catalog.support(earlier, engine)
        for setting in catalog.settings(support):
            if name not in setting or earlier not in setting:
                continue
            for checkpoint in catalog.checkpoints(name):
                if first_match(engine.rows_of(name), setting, checkpoint) != index:
                    continue
                before = first_match(others, setting, checkpoint)
                if before is not None:
                    taken = engine.routes(engine.rows[before]).values()
                    out |= {target for target in common if mine[target] in taken}
            if common <= out:
                break
    return out


def replaces_truly(catalog: Catalog) -> list[Finding]:
    """`replaces` names exactly the targets where the row puts an earlier field's argument away."""
    rule, out = "replaces-truly", []
    for engine in catalog.engines:
        order = [*engine.data["order"]["four_field"], *engine.data["order"]["unified"]]
        for index, row in enumerate(engine.rows):
            if row["field"] not in order:
                continue
            stated = set(row.get("replaces", []))
            real = _replaced(catalog, engine, index) if any(row["try"]) else set()
            for target in sorted(stated - real):
                problem = f"replaces {target!r}, which no earlier field sets when this row matches"
                out.append(
                    Finding(
                        rule, engine.file, engine.place(index), problem, "take it out of replaces"
                    )
                )
            for target in sorted(real - stated):
                problem = f"replaces {target!r} of an earlier field without saying so"
                out.append(
                    Finding(rule, engine.file, engine.place(index), problem, "say so in replaces")
                )
    return out


def never_accepted_here(catalog: Catalog) -> list[Finding]:
    """`never_accepted` marks targets that the row emits, and rests on evidence."""
    rule, out = "never-accepted-here", []
    for engine in catalog.engines:
        table = engine.data["documented"]
        emitted = set()
        for index, row in enumerate(engine.rows):
            targets = set(chain.from_iterable(row["try"]))
            emitted |= targets
            marks = row.get("never_accepted", {})
            for target in sorted(set(marks) - targets):
                problem = f"marks {target!r}, which the row does not emit"
                out.append(
                    Finding(rule, engine.file, engine.place(index), problem, "take the mark out")
                )
            if marks and not (row.get("evidence") or table.get("evidence")):
                problem = "never_accepted without evidence"
                out.append(
                    Finding(
                        rule,
                        engine.file,
                        engine.place(index),
                        problem,
                        "name a source file and release",
                    )
                )
        general = table.get("never_accepted", {})
        for target in sorted(set(general) - emitted):
            problem = f"marks {target!r}, which no row emits"
            out.append(
                Finding(
                    rule, engine.file, "documented.never_accepted", problem, "take the mark out"
                )
            )
        if general and not table.get("evidence"):
            problem = "never_accepted without evidence"
            cure = "name a source file and release"
            out.append(Finding(rule, engine.file, "documented.never_accepted", problem, cure))
    return out


def targets_used(catalog: Catalog) -> list[Finding]:
    """Every target is emitted by a row."""
    out = []
    for engine in catalog.engines:
        used = set(chain.from_iterable(chain.from_iterable(row["try"]) for row in engine.rows))
        for target in engine.data["targets"]:
            if target not in used:
                place = f"targets.{target}"
                out.append(
                    Finding(
                        "targets-used",
                        engine.file,
                        place,
                        "no row emits it",
                        "drop it, or add the row",
                    )
                )
    return out


def outcome_explained(catalog: Catalog) -> list[Finding]:
    """What is not done as asked is said: a fallback by a warning, a row never by an error."""
    rule, out = "outcome-explained", []
    for engine in catalog.engines:
        for index, row in enumerate(engine.rows):
            outcome, code = row.get("outcome", "applied"), row.get("code", "applied")
            severity = catalog.diagnostics[code]["severity"]
            place = engine.place(index)
            if severity == "error":
                out.append(
                    Finding(
                        rule,
                        engine.file,
                        place,
                        f"{code!r} is an error",
                        "use a warning or info code",
                    )
                )
            elif outcome in ("falls-back", "not-supported") and severity != "warning":
                problem = f"outcome {outcome!r} with code {code!r}, which nobody is told"
                out.append(
                    Finding(rule, engine.file, place, problem, "use a code of severity warning")
                )
            elif outcome != "applied" and code == "applied":
                problem = f"outcome {outcome!r} with code 'applied'"
                out.append(
                    Finding(rule, engine.file, place, problem, "name the code that explains it")
                )
            elif not any(row["try"]) and code == "applied":
                problem = "emits nothing and says it is passed on"
                out.append(
                    Finding(rule, engine.file, place, problem, "name the code that explains it")
                )
    return out


RULES = (
    exhaustive,
    reachable,
    grouped,
    replaces_truly,
    never_accepted_here,
    targets_used,
    outcome_explained,
)
