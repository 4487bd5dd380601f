"""Coding agents as their users start them: a base URL and a key are all that is changed.

Each is told to be quiet (no telemetry, no updates), to ask nobody for leave, and what to do.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.clients.installed import environment
from tests.e2e.clients.standing import KEY

from hyperroute.testing.replies import Call

FILE = "made.txt"
CONTENT = "made by an agent\n"
TASK = f"Create {FILE}"
SHELL = f"echo made by an agent > {FILE}"
PATCH = f"*** Begin Patch\n*** Add File: {FILE}\n+made by an agent\n*** End Patch\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run."""

    code: int
    out: str
    err: str
    project: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One way to start an agent.

    Attributes:
        dialect: That it speaks to us.
        model: That it asks for.
        also: Models that it asks for on the side.
        command: What is run, by its gateway, project and home folder.
        given: What is added to its environment.
        calls: How a model makes the file with one of its tools, by the tool's name.
    """

    name: str
    dialect: str
    model: str
    also: tuple[str, ...] = ()
    command: Callable[[str, Path, Path], list[str]]
    given: Callable[[str, Path], Mapping[str, str]]
    calls: Callable[[Path], Mapping[str, Call]]

    def run(self, folder: Path, url: str, place: Path) -> Ran:
        """Let it make the file, below ``place``."""
        home, project = place / "home", place / "project"
        home.mkdir()
        project.mkdir()
        words = self.command(url, project, home)
        words[0] = str(folder / "node_modules" / ".bin" / words[0])
        done = subprocess.run(
            words,
            cwd=project,
            env={**environment(folder, home), **self.given(url, home)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ran(done.returncode, done.stdout, done.stderr, project)


def _codex(url: str, project: Path, home: Path) -> list[str]:
    del project
    config = f"""
model = "gpt-5.5"
model_provider = "gateway"

[model_providers.gateway]
name = "Gateway"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "GATEWAY_KEY"

[analytics]
enabled = false
"""
    (home / "config.toml").write_text(config, "utf-8")
    leave = "--dangerously-bypass-approvals-and-sandbox"
    return ["codex", "exec", "--skip-git-repo-check", leave, TASK]


def _codex_calls(project: Path) -> Mapping[str, Call]:
    del project
    return {
        "exec_command": Call(name="exec_command", arguments=json.dumps({"cmd": SHELL})),
        "apply_patch": Call(name="apply_patch", arguments=PATCH, custom=True),
    }


def _claude(url: str, project: Path, home: Path) -> list[str]:
    del url, project, home
    leave = ["--allowedTools", "Write", "--permission-mode", "acceptEdits"]
    return ["claude", "-p", TASK, "--model", "claude-sonnet-4-6", *leave]


def _claude_calls(project: Path) -> Mapping[str, Call]:
    said = {"file_path": str(project / FILE), "content": CONTENT}
    return {"Write": Call(name="Write", arguments=json.dumps(said))}


def _gemini(url: str, project: Path, home: Path) -> list[str]:
    del url, project
    settings = {
        "privacy": {"usageStatisticsEnabled": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"enableAutoUpdate": False},
    }
    (home / ".gemini").mkdir()
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings), "utf-8")
    return ["gemini", "-m", "gemini-3-flash-preview", "--approval-mode", "yolo", "-p", TASK]


def _gemini_calls(project: Path) -> Mapping[str, Call]:
    said = {"file_path": str(project / FILE), "content": CONTENT}
    return {"write_file": Call(name="write_file", arguments=json.dumps(said))}


def _opencode(package: str) -> Callable[[str, Path, Path], list[str]]:
    def command(url: str, project: Path, home: Path) -> list[str]:
        del home
        model = {"name": "gpt-5.5", "tool_call": True, "limit": {"context": 200000, "output": 8192}}
        gateway = {
            "npm": package,
            "name": "Gateway",
            "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
            "models": {"gpt-5.5": model},
        }
        config: dict[str, Any] = {
            "provider": {"gateway": gateway},
            "permission": {"bash": "allow", "edit": "allow"},
            "share": "disabled",
            "autoupdate": False,
        }
        (project / "opencode.json").write_text(json.dumps(config), "utf-8")
        return ["opencode", "run", "-m", "gateway/gpt-5.5", TASK]

    return command


def _opencode_given(url: str, home: Path) -> Mapping[str, str]:
    del url
    own = {f"XDG_{name}_HOME": str(home / name) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    return {**own, "OPENCODE_DISABLE_AUTOUPDATE": "1", "OPENCODE_DISABLE_MODELS_FETCH": "1"}


def _opencode_calls(project: Path) -> Mapping[str, Call]:
    del project
    said = {"command": SHELL, "description": "make it"}
    return {"bash": Call(name="bash", arguments=json.dumps(said))}


CODEX = Agent(
    name="codex",
    dialect="openai.responses",
    model="gpt-5.5",
    command=_codex,
    given=lambda _url, home: {"CODEX_HOME": str(home), "GATEWAY_KEY": KEY},
    calls=_codex_calls,
)
CLAUDE = Agent(
    name="claude",
    dialect="anthropic.messages",
    model="claude-sonnet-4-6",
    also=("claude-haiku-4-5",),
    command=_claude,
    given=lambda url, _home: {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    },
    calls=_claude_calls,
)
GEMINI = Agent(
    name="gemini",
    dialect="gemini.generate",
    model="gemini-3-flash-preview",
    also=("gemini-2.5-flash", "gemini-2.5-flash-lite"),
    command=_gemini,
    given=lambda url, _home: {
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": KEY,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    },
    calls=_gemini_calls,
)
OPENCODE = {
    dialect: Agent(
        name="opencode",
        dialect=dialect,
        model="gpt-5.5",
        command=_opencode(package),
        given=_opencode_given,
        calls=_opencode_calls,
    )
    for dialect, package in {
        "openai.chat": "@ai-sdk/openai-compatible",
        "openai.responses": "@ai-sdk/openai",
        "anthropic.messages": "@ai-sdk/anthropic",
        "gemini.generate": "@ai-sdk/google",
    }.items()
}
