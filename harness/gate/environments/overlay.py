"""Packages of one side in other versions: a virtual environment in front of everything that is installed here."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import shutil
import site
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from harness.errors import some
from harness.gate.environments import installer
from harness.gate.environments.cache import PACKAGES, READY, EnvironmentBuildError, Hold, Shelf
from harness.gate.environments.installer import broken, last_line, pip, reason, run, tail

_PARENT = "_bakeoff_parent.pth"


@dataclass(frozen=True)
class Overlay:
    """A virtual environment.

    Attributes
    ----------
    python
        Its interpreter.
    folder
        Where its own packages lie.
    packages
        The packages that differ from the running interpreter's, by canonical name.
    hold
        Keeps it from being removed.
    """

    python: Path
    folder: Path
    packages: dict[str, str]
    hold: Hold

    def modules(self, package: str) -> list[str]:
        """Return the modules at the top level of one of its packages, without shared namespace packages."""
        tops = {
            file.parts[0]
            for distribution in metadata.distributions(name=package, path=[str(self.folder)])
            for file in distribution.files or ()
        }
        names = {top.partition(".")[0] for top in tops if top.endswith((".py", ".so")) or self._is_package(top)}
        return sorted(name for name in names if name.isidentifier())

    def _is_package(self, name: str) -> bool:
        return (self.folder / name / "__init__.py").is_file()


@dataclass(frozen=True)
class OverlayRecipe:
    """What an overlay is made of.

    Attributes
    ----------
    side
        Whose it is, for messages.
    requirements
        What is installed in it; all other packages stay as they are.
    wheels
        Folder to install from instead of an index.
    """

    side: str
    requirements: Sequence[Requirement]
    wheels: Path | None

    @property
    def texts(self) -> list[str]:
        """The requirements, sorted."""
        return sorted(str(requirement) for requirement in self.requirements)

    @functools.cached_property
    def constraints(self) -> list[str]:
        """What must not move: the versions of all packages that no requirement names."""
        named = {canonicalize_name(requirement.name) for requirement in self.requirements}
        kept = {
            name: version for name, version in installer.installed().items() if name not in named and _valid(version)
        }
        return [f"{name}=={version}" for name, version in sorted(kept.items())]

    def key(self) -> str:
        """Return the digest of everything that the result depends on."""
        files = sorted(self.wheels.iterdir()) if self.wheels else []
        listing = [(file.name, file.stat().st_size) for file in files]
        platform = (sys.version, sysconfig.get_platform(), sys.base_prefix, *_site_folders())
        content = msgspec.json.encode((platform, self.texts, self.constraints, listing))
        return hashlib.blake2b(content, digest_size=10).hexdigest()


def make(recipe: OverlayRecipe, say: Callable[[str], None]) -> Overlay:
    """Build an overlay, or find the one that was built before.

    Raises
    ------
    EnvironmentBuildError
        When it cannot be built, or would break a package that is installed.
    """
    shelf, key = Shelf(PACKAGES, READY), recipe.key()
    while True:
        hold = shelf.use(key)
        if (shelf.entry(key) / READY).is_file():
            folder = shelf.entry(key)
            return Overlay(_python(folder), _site(folder), _changed(folder, recipe), hold)
        hold.release()
        with shelf.alone(key):
            if not (shelf.entry(key) / READY).is_file():
                say(f"building the {recipe.side}'s packages: {some(recipe.texts)}")
                try:
                    _build(shelf.entry(key), recipe)
                except BaseException:
                    shutil.rmtree(shelf.entry(key), ignore_errors=True)
                    raise
                shelf.prune()


def _changed(folder: Path, recipe: OverlayRecipe) -> dict[str, str]:
    """Return the packages of an environment that differ from the running interpreter's."""
    packages, here = installer.installed([str(_site(folder))]), installer.installed()
    named = {canonicalize_name(requirement.name) for requirement in recipe.requirements}
    # A new environment may come with a pip of its own, which is not part of the comparison.
    own = {name: version for name, version in packages.items() if name in named or name != "pip"}
    return {name: version for name, version in own.items() if here.get(name) != version}


def _build(folder: Path, recipe: OverlayRecipe) -> None:
    """Build in place, since the paths within a virtual environment are absolute; the mark of success comes last."""
    shutil.rmtree(folder, ignore_errors=True)
    # The running interpreter's pip serves the new environment as well, as do all its packages.
    own_pip = importlib.util.find_spec("pip") is None
    options = [] if own_pip else ["--without-pip"]
    # Isolated: a project may have a folder named venv on its import path.
    done = run([sys.executable, "-I", "-m", "venv", *options, str(folder)])
    if done.returncode:
        raise _no_venv(done.stdout, own_pip=own_pip)
    lines = [f"import site; site.addsitedir({parent!r})\n" for parent in _site_folders()]
    (_site(folder) / _PARENT).write_text("".join(lines))
    if "setuptools" in installer.installed([str(_site(folder))]):
        pip(_python(folder), "uninstall", "--yes", "setuptools")
    _install(folder, recipe)
    (folder / READY).touch()


def _install(folder: Path, recipe: OverlayRecipe) -> None:
    python, constraints, option = _python(folder), folder / "constraints.txt", f"--{recipe.side}-with"
    constraints.write_text("\n".join([*recipe.constraints, ""]))
    source = ["--no-index", "--find-links", str(recipe.wheels)] if recipe.wheels else []
    # Within the entry, so that what a killed pip leaves there goes with it.
    temporary = folder / "temporary"
    temporary.mkdir()
    options = ("--progress-bar=off", *source, "-c", str(constraints))
    done = pip(python, "install", *options, *recipe.texts, temporary=temporary)
    shutil.rmtree(temporary, ignore_errors=True)
    if done.returncode:
        raise EnvironmentBuildError(
            f"pip cannot install the {recipe.side}'s {some(recipe.texts)}: {reason(done.stdout, option)}",
            tail(done.stdout),
        )
    suffering = broken(python, _changed(folder, recipe), installer.installed())
    if suffering:
        raise EnvironmentBuildError(
            f"the {recipe.side}'s {some(recipe.texts)} breaks what is installed: {next(iter(suffering.values()))}; "
            f"add {some(list(suffering))} to {option} in a version that fits",
            tail("\n".join(suffering.values())),
        )


def _no_venv(said: str, *, own_pip: bool) -> EnvironmentBuildError:
    if own_pip and ("ensurepip" in said or "No module named venv" in said):
        sentence = f"{sys.executable} has neither pip nor ensurepip to install other packages with: install pip into it"
        return EnvironmentBuildError(sentence, tail(said))
    return EnvironmentBuildError(f"no virtual environment can be made: {last_line(said)}", tail(said))


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _site(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))


def _site_folders() -> list[str]:
    """Return the folders of the running interpreter's packages, in the order of its import path."""
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [folder for folder in [*user, *site.getsitepackages()] if Path(folder).is_dir()]


def _valid(version: str) -> bool:
    try:
        Version(version)
    except InvalidVersion:
        return False
    return True
