from __future__ import annotations

import gc
import subprocess
import sys
from importlib.metadata import Distribution, EntryPoint
from types import SimpleNamespace

import pluggy
import pytest

from hyperroute.errors import PluginError
from hyperroute.plugins.hookspecs import Hooks, hookimpl
from hyperroute.plugins.loading import Loader, Origin
from hyperroute.plugins.registry import discover
from hyperroute.plugins.secret import Secret
from hyperroute.providers.flow import SPEC, Provider
from hyperroute.stores.opening import STORES
from hyperroute_openai import OPENAI


def flow(call):
    yield from ()


def plugin(name="acme", **hooks):
    """Build a plugin object from plain functions."""
    found = SimpleNamespace(__name__=name)
    for hook, function in hooks.items():
        setattr(found, f"hyperroute_{hook}", hookimpl(function))
    return found


def acme(name="acme", **more):
    return plugin(name, providers=lambda: [Provider(name="acme", flow=flow, **more)])


# --- what is there -------------------------------------------------------------------------------
def test_the_built_in_parts_enter_by_the_same_door():
    registry = discover(entry_points=False)
    assert set(registry.endpoints) == {
        "chat",
        "responses",
        "messages",
        "gemini",
        "embeddings",
        "completions",
        "images",
    }
    assert set(registry.dialects) == {
        "openai.chat",
        "openai.responses",
        "anthropic.messages",
        "gemini.generate",
        "openai.embeddings",
        "openai.completions",
        "openai.images",
    }
    assert registry.origins["dialect openai.chat"] == Origin("hyperroute")
    assert registry.plugins == (Origin("hyperroute"),)


def test_installed_plugins_are_found_with_their_distribution():
    registry = discover()
    assert {"openai", "anthropic", "gemini", "simulated"} <= set(registry.providers)
    origin = registry.origins["provider openai"]
    assert (origin.plugin, origin.distribution) == ("openai", "hyperroute-openai")
    assert str(origin).startswith("plugin 'openai' of hyperroute-openai ")
    assert registry.failures == ()


# hook by hook: each has a test of its name
def test_hyperroute_providers():
    registry = discover(acme(), entry_points=False)
    assert registry.provider("acme").flow is flow


def test_hyperroute_dialects():
    dialect = SimpleNamespace(name="acme.talk", endpoint="talk")
    registry = discover(plugin(dialects=lambda: [dialect]), entry_points=False)
    assert registry.dialects["acme.talk"] is dialect
    assert registry.endpoints["talk"] is dialect


def test_hyperroute_tables():
    registry = discover(plugin(tables=lambda: ["hyperroute: 1"]), entry_points=False)
    assert registry.tables == {"acme": ("hyperroute: 1",)}


def test_hyperroute_stores():
    registry = discover(plugin(stores=lambda: {"etcd": dict}), entry_points=False)
    assert registry.stores == {**STORES, "etcd": dict}


def test_hyperroute_rankings():
    assert discover(plugin(rankings=lambda: {"carbon": len}), entry_points=False).rankings == {
        "carbon": len
    }


def test_hyperroute_sinks():
    assert discover(plugin(sinks=lambda: {"otel": print}), entry_points=False).sinks == {
        "otel": print
    }


def test_hyperroute_secret():
    def secret(reference):
        return {"vault:a": "plain", "vault:b": Secret("wrapped")}.get(reference)

    registry = discover(plugin(secret=secret), entry_points=False)
    assert registry.secret("vault:a").secret == Secret("plain")
    assert registry.secret("vault:b").secret == Secret("wrapped")
    missing = registry.secret("vault:c")
    assert (missing.secret, missing.reason) == (None, "no plugin resolves the secret 'vault:c'")


def test_every_hook_has_a_test_of_its_name():
    hooks = {name for name in vars(Hooks) if name.startswith("hyperroute_")}
    assert {f"test_{hook}" for hook in hooks} <= set(globals())


# --- secrets -------------------------------------------------------------------------------------
def test_the_empty_reference_needs_no_secret():
    assert discover(entry_points=False).secret("").secret == Secret("")


def test_a_plugin_cannot_answer_for_the_environment(monkeypatch):
    monkeypatch.setenv("HR_TEST_KEY", "true")
    registry = discover(plugin(secret=lambda reference: "false"), entry_points=False)
    assert registry.secret("env:HR_TEST_KEY").secret == Secret("true")


def test_a_resolver_that_raises_is_named_and_its_text_is_not_told():
    def secret(reference):
        raise RuntimeError("the key is sk-canary")

    answer = discover(plugin(secret=secret), entry_points=False).secret("vault:x")
    assert answer.secret is None
    assert answer.reason == "plugin 'acme' raised RuntimeError for 'vault:x'"


def test_a_missing_variable_is_named():
    answer = discover(entry_points=False).secret("env:HR_NO_SUCH_KEY")
    assert answer.reason == "the environment variable 'HR_NO_SUCH_KEY' is not set"


# --- what is wrong -------------------------------------------------------------------------------
def test_a_misspelt_hook_is_an_error_that_names_it():
    with pytest.raises(PluginError, match="hyperroute_provider'"):
        discover(plugin(provider=flow), entry_points=False)


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (plugin(), "no hook"),
        (plugin(providers=lambda: 1 / 0), "ZeroDivisionError"),
        (plugin(providers=lambda: ["acme"]), "returned str, no Provider"),
        (acme(spec=SPEC + 1), "upgrade hyperroute"),
        (acme(speaks=("talk",), dialects=OPENAI.dialects), r"speaks \['talk'\] without a dialect"),
        (plugin(providers=lambda: [OPENAI, OPENAI]), "adds 'openai' twice"),
        (plugin(tables=lambda: [b"hyperroute: 1"]), "not text"),
    ],
)
def test_a_broken_plugin_given_in_code_is_raised_and_named(broken, says):
    with pytest.raises(PluginError, match=says) as caught:
        discover(broken, entry_points=False)
    assert "acme" in str(caught.value)


def test_an_async_hook_is_refused():
    async def providers():
        return ()

    with pytest.raises(PluginError, match="is async"):
        discover(plugin(providers=providers), entry_points=False)


def test_a_wrapper_is_refused():
    class Wrapping:
        @hookimpl(wrapper=True)
        def hyperroute_providers(self):
            yield

    with pytest.raises(PluginError, match="is a wrapper"):
        discover(Wrapping(), entry_points=False)


def test_a_clash_names_both_parties_and_the_way_out():
    with pytest.raises(PluginError) as caught:
        discover(acme("acme"), acme("nadir"), entry_points=False)
    said = str(caught.value)
    assert "the provider 'acme' is claimed by plugin 'acme' and by plugin 'nadir'" in said
    assert "HYPERROUTE_BLOCK to acme or nadir" in said


def test_a_plugin_given_twice_counts_once():
    one = acme()
    assert set(discover(one, one, entry_points=False).providers) == {"acme"}


# --- entry points: the loader goes on ------------------------------------------------------------
class Dist(Distribution):
    def __init__(self, name):
        self._name = name

    def read_text(self, filename):
        return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: 1.2\n"

    def locate_file(self, path):
        raise NotImplementedError


def point(name, value, dist):
    found = EntryPoint(name=name, value=value, group="hyperroute")
    vars(found).update(dist=Dist(dist))
    return found


BROKEN = point("broken", "no_such_module_at_all", "hyperroute-broken")
GOOD = point("openai", "hyperroute_openai", "hyperroute-openai")


def loaded(*points, strict=False, block=()):
    loader = Loader(strict=strict)
    loader.from_entry_points(points, block=block)
    return loader


def test_one_broken_distribution_does_not_stop_the_others():
    loader = loaded(BROKEN, GOOD)
    assert [found.origin.plugin for found in loader.loaded] == ["openai"]
    said = str(loader.failures[0])
    assert said.startswith("plugin 'broken' of hyperroute-broken 1.2 is not usable: ModuleNotFound")
    assert said.endswith("repair it, uninstall it, or set HYPERROUTE_BLOCK=broken")


def test_a_strict_loader_raises_instead():
    with pytest.raises(PluginError, match="hyperroute-broken"):
        loaded(BROKEN, GOOD, strict=True)


@pytest.mark.parametrize("name", ["broken", "hyperroute-broken"])
def test_a_blocked_plugin_is_not_even_imported(name):
    assert loaded(BROKEN, GOOD, block={name}).failures == []


def test_two_distributions_with_one_plugin_name_are_both_named():
    other = point("openai", "hyperroute_anthropic", "openai-for-hyperroute")
    with pytest.raises(PluginError) as caught:
        loaded(GOOD, other)
    assert "hyperroute-openai" in str(caught.value)
    assert "openai-for-hyperroute" in str(caught.value)


def test_the_order_of_installation_decides_nothing():
    other = point("anthropic", "hyperroute_anthropic", "hyperroute-anthropic")
    one, two = loaded(GOOD, other), loaded(other, GOOD)
    assert [p.origin for p in one.loaded] == [p.origin for p in two.loaded]


def test_the_environment_blocks_by_name(monkeypatch):
    monkeypatch.setenv("HYPERROUTE_BLOCK", " openai , hyperroute-gemini ")
    assert not {"openai", "gemini"} & set(discover().providers)
    assert "anthropic" in discover().providers


# --- what is missing -----------------------------------------------------------------------------
def test_a_misspelt_provider_is_answered_with_the_nearest_one():
    registry = discover()
    with pytest.raises(PluginError, match="did you mean 'openai'"):
        registry.provider("opnai")


def test_a_provider_of_a_broken_plugin_is_explained_by_its_failure():
    failure = loaded(BROKEN).failures[0]
    from dataclasses import replace

    registry = replace(discover(entry_points=False), failures=(failure,))
    assert registry.missing("broken") == f"the provider 'broken' is not available: {failure}"
    assert str(failure) in registry.missing("its-second-provider")


# --- substitution, leaks, weight -----------------------------------------------------------------
def test_providers_and_secrets_can_be_put_in_the_place_of_others():
    registry = discover(acme(), entry_points=False)
    other = registry.with_providers({}).with_secrets(lambda reference: f"for {reference}")
    assert other.providers == {}
    assert other.secret("env:HR_NO_SUCH_KEY").secret == Secret("for env:HR_NO_SUCH_KEY")
    assert set(registry.providers) == {"acme"}


def test_a_registry_cannot_be_changed():
    registry = discover(entry_points=False)
    with pytest.raises(TypeError):
        registry.providers["x"] = OPENAI  # type: ignore[index]


def test_a_thousand_registries_leave_nothing_behind():
    one = acme()
    discover(one, entry_points=False)
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(1_000):
        discover(one, entry_points=False)
    gc.collect()
    assert len(gc.get_objects()) - before < 100
    managers = [o for o in gc.get_objects() if isinstance(o, pluggy.PluginManager)]
    assert not [manager for manager in managers if manager.project_name == "hyperroute"]


def test_finding_plugins_imports_nothing_heavy():
    code = (
        "import sys; from hyperroute.plugins.registry import discover; discover();"
        "print({'httpx', 'pydantic', 'yaml', 'asyncio', 'tiktoken'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "set()"
