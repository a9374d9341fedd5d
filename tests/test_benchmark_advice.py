"""Which engine for what: the sentences follow the figures, here made-up ones."""

from __future__ import annotations

from support.engine_runs import WORKS, Factors, joined, made_up

from benchmarks.advice import Advice, advise, in_short
from benchmarks.engine_run import ENGINES, Run


def only(run: Run, title: str) -> Advice:
    [advice] = [advice for advice in advise(run) if advice.topic.title == title]
    return advice


def on_all_works(factors: dict[str, float]) -> Factors:
    return {(work, engine): factor for engine, factor in factors.items() for work in WORKS}


def computing(run: Run) -> Advice:
    return only(run, "Computing, on a busy route")


def test_the_fastest_is_chosen_whoever_it_is() -> None:
    """With its lead, who comes next and who is last."""
    for fastest in ("luajit", "lua52", "lua55"):
        slowest = "lua51"
        factors = dict(on_all_works({fastest: 0.25, "lua53": 0.5, slowest: 1.5}))
        factors |= {("fib", fastest): 0.125, ("sort", fastest): 0.5}
        advice = computing(made_up(factors))
        assert list(advice.engines) == [fastest]
        assert "4.0× as fast as PUC 5.4, from 2.0× (sort) to 8.0× (fib)" in advice.lead
        assert "next comes PUC 5.3 with 2.0×" in advice.lead
        assert "PUC 5.1 is last with 0.67×" in advice.lead


def test_the_reference_can_be_the_fastest() -> None:
    """Then it is not set beside itself."""
    advice = computing(made_up(on_all_works({it: 2.0 for it in ENGINES if it != "lua54"})))
    assert list(advice.engines) == ["lua54"]
    assert advice.lead.startswith("PUC 5.4 is ahead; next comes LuaJIT with 0.50×;")


def test_engines_within_the_margin_are_level() -> None:
    """None of them is chosen alone."""
    advice = computing(made_up(on_all_works({"luajit": 0.5, "lua55": 0.51})))
    assert list(advice.engines) == ["luajit", "lua55"]
    assert advice.lead.startswith("LuaJIT and PUC 5.5 are level, 2.0× as fast as PUC 5.4")


def test_noise_widens_the_margin() -> None:
    """A run whose rounds lie further apart tells less."""
    noisy = {(work, engine): 0.12 for work in WORKS for engine in ENGINES}
    advice = computing(made_up(on_all_works({"luajit": 0.5, "lua55": 0.55}), scatter=noisy))
    assert list(advice.engines) == ["luajit", "lua55"]
    calm = computing(made_up(on_all_works({"luajit": 0.5, "lua55": 0.55})))
    assert list(calm.engines) == ["luajit"]


def test_it_may_hardly_matter() -> None:
    """Then no engine is chosen, and the work with the greatest difference is named."""
    factors = dict(on_all_works({"luajit": 0.98})) | {("sort", "lua53"): 1.4}
    advice = computing(made_up(factors))
    assert list(advice.engines) == []
    assert "let the language decide" in advice.lead
    assert advice.more == ["Furthest apart at sort: LuaJIT is 1.43× as good as PUC 5.3."]


def test_exceptions_are_named() -> None:
    """Works at which another is faster, the greatest difference first."""
    factors = dict(on_all_works({"luajit": 0.2}))
    factors |= {("sort", "luajit"): 2.0, ("nbody", "luajit"): 1.0, ("nbody", "lua55"): 0.8}
    factors |= {("sort", "lua55"): 0.5, ("fib", "luajit"): 1.0, ("fib", "lua51"): 0.4}
    factors |= {("say", "luajit"): 1.5}
    advice = computing(made_up(factors))
    assert list(advice.engines) == ["luajit"]
    assert advice.more == [
        "Not everywhere: faster than LuaJIT is PUC 5.5 at sort (4.0×), PUC 5.1 at fib (2.5×) and"
        " say (1.50×), others at 1 more."
    ]


def test_unsteady_works_do_not_count() -> None:
    """However fast they look; they are named."""
    factors = dict(on_all_works({"luajit": 0.5})) | {("say", "lua52"): 1e-6}
    scatter = {("say", engine): 0.9 for engine in ENGINES}
    advice = computing(made_up(factors, scatter=scatter))
    assert list(advice.engines) == ["luajit"]
    assert "Too unsteady in this run to count: say." in advice.more


def test_the_first_run_is_judged_by_itself() -> None:
    """Who is fast when warm may be slow at first."""
    factors = on_all_works({"luajit": 0.25})
    advice = only(
        made_up(factors, firsts=on_all_works({"luajit": 8.0})),
        "Computing, on a route that is rarely asked",
    )
    assert "luajit" not in advice.engines
    assert "LuaJIT is last with 0.50×." in advice.lead


def test_memory_is_told_as_memory() -> None:
    """Less is better."""
    held = {("VM", "lua53"): 0.5, ("VM", "lua51"): 0.8, ("VM", "luajit"): 2.0}
    run = made_up(suite="memory", works=["VM"], held=held)
    advice = only(run, "Little memory")
    assert list(advice.engines) == ["lua53"]
    assert advice.lead == (
        "0.50× the memory of PUC 5.4; next comes PUC 5.1 with 0.80×; LuaJIT is last with 2.0×."
    )


def test_in_short() -> None:
    """Each choice with its uses, the one with most uses first, then what hardly matters."""
    run = joined(
        made_up({("fib", "lua55"): 0.5}, suite="api", works=["fib"]),
        made_up({("fib", "luajit"): 0.5}, works=["fib"]),
        made_up({("cold", "lua55"): 0.5}, suite="compile", works=["cold"]),
        made_up({}, suite="request", works=["fib"]),
    )
    assert in_short(advise(run)) == (
        "PUC 5.5 for calling the API and scripts that change. LuaJIT for computing."
        " For computing without LuaJIT and small requests the choice hardly matters."
    )


def test_nothing_is_said_of_what_was_not_measured() -> None:
    """Neither of suites nor of engines that are not there."""
    advices = advise(made_up(suite="api", engines=("lua53", "lua54")))
    assert [advice.topic.title for advice in advices] == ["Calling the API"]
    assert "LuaJIT" not in advices[0].lead
