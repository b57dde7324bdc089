"""Plugins: finding, installing, upgrading, removing and starting one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from zoo.api.registries import Several, load_registries, texts
from zoo.catalog import Plugin
from zoo.places import local_path

if TYPE_CHECKING:
    from zoo.registry.installer import Options
    from zoo.registry.planning import InstallPlan


@dataclass(frozen=True)
class Installation:
    """What `install` or `upgrade` did, or would do.

    plan     `plan.changes` has a dict for each distribution that comes; it is empty when everything is there already
    plugins  the plugins that came, as a fresh process has loaded them
    done     whether the plan was carried out; not after a dry run, when `confirm` said no, or when it is empty
    """

    plan: InstallPlan
    plugins: list[Plugin]
    done: bool

    @property
    def warnings(self) -> list[str]:
        """Sentences on what should be known: code that is built, and names that another plugin offers, too."""
        from zoo.registry.planning import shared_names

        came = [sentence for p in self.plugins for sentence in shared_names(p.name, p.backbones.names, p.heads.names)]
        return list(dict.fromkeys([*self.plan.warnings, *came]))


@dataclass(frozen=True)
class Removal:
    """What `uninstall` did, or would do.

    removed  the distributions that go, each with its version
    done     whether they are gone; not after a dry run, or when `confirm` said no
    """

    removed: dict[str, str]
    done: bool


def search(query: str = "", *, registries: Several = ()) -> list[dict[str, Any]]:
    """The plugins in which every word of the query occurs: in the name, the summary, or a backbone or head.

    query       words; without any, all plugins are found
    registries  one or several files or addresses to ask before all others

    Each is a dict: name, summary, distribution, requirement, installed (the version, or None), registry, also_in,
    install (the command that installs it, or None), verified, bytes, licence, homepage, api, backbones, heads,
    modalities, and in `matches` those in which a word occurs. Raises `zoo.BadRegistry` when one of `registries` cannot
    be read.

    >>> import zoo
    >>> [plugin["name"] for plugin in zoo.search("electra")]
    ['kerashub', 'tfhub_bert']
    """
    from zoo.registry.search import search as find

    return find(query, load_registries(registries))


def install(
    plugins: Several,
    *,
    registries: Several = (),
    find_links: Several = (),
    no_index: bool = False,
    unlisted: bool = False,
    allow_build: bool = False,
    dry_run: bool = False,
    confirm: Callable[[InstallPlan], bool] | None = None,
) -> Installation:
    """Install plugins into this environment, or change nothing at all.

    plugins     one or several: names that a registry lists, requirements ("zoo-tiny==1.0"), paths of wheels or folders
    registries  one or several files or addresses to ask before all others
    find_links  one or several folders of wheels to look in
    no_index    look in `find_links` only, and ask no package index
    unlisted    take names from the package index that no registry lists
    allow_build take source code too, which runs when it is built; otherwise only wheels are taken, and folders
    dry_run     plan only
    confirm     is shown the plan, and says whether to carry it out; without it, the plan is carried out. Asked again if
                building source code shows that more is needed

    No code of what is to be installed runs before `confirm` has said yes, and none in a dry run.

    ZOO_OFFLINE=1 in the environment forbids the network, which includes `no_index`. An installation that was killed
    earlier is put right first. Raises `zoo.CannotInstall` with the reason when a plugin
    does not fit what is installed, has another hash than its registry states, or does not load; the environment is
    then as it was. Raises `zoo.UnknownName` for a name that is no plugin, and `zoo.BadRegistry` when one of
    `registries` cannot be read.

    >>> import zoo
    >>> plan = zoo.install(["kerashub"], dry_run=True).plan  # doctest: +SKIP
    >>> [(change["distribution"], change["version"]) for change in plan.changes]  # doctest: +SKIP
    [('tfzoo-kerashub', '0.1.0'), ('keras-hub', '0.32.0')]
    """
    from zoo.registry.installer import Options
    from zoo.registry.planning import plan_installation
    from zoo.registry.transaction import repair

    repair()
    options = Options(tuple(texts(find_links)), no_index, allow_build, unlisted)
    plan = plan_installation(texts(plugins), load_registries(registries), options)
    return _carry_out(plan, options, dry_run, confirm)


def upgrade(
    plugins: Several = (),
    *,
    registries: Several = (),
    find_links: Several = (),
    no_index: bool = False,
    allow_build: bool = False,
    dry_run: bool = False,
    confirm: Callable[[InstallPlan], bool] | None = None,
) -> Installation:
    """Upgrade plugins to their newest versions; what they need changes only where it has to.

    plugins  one or several that are installed; without any, all of them except editable ones

    The other arguments, and the errors, are those of `install`.

    >>> import zoo
    >>> zoo.upgrade(dry_run=True).plan.changes  # doctest: +SKIP
    []
    """
    from zoo.registry.installer import Options
    from zoo.registry.planning import plan_upgrade
    from zoo.registry.transaction import repair

    repair()
    options = Options(tuple(texts(find_links)), no_index, allow_build)
    plan = plan_upgrade(texts(plugins), load_registries(registries), options)
    return _carry_out(plan, options, dry_run, confirm)


def uninstall(
    plugins: Several,
    *,
    dry_run: bool = False,
    confirm: Callable[[dict[str, str]], bool] | None = None,
) -> Removal:
    """Remove plugins, and what was installed only for them. Their code is not run.

    plugins  one or several that are installed
    dry_run  plan only
    confirm  is shown the distributions and their versions, and says whether to remove them

    Raises `zoo.UnknownName` when one is not installed, and `zoo.CannotInstall` when one cannot be removed; the
    environment is then as it was.

    >>> import zoo
    >>> zoo.uninstall(["kerashub"], dry_run=True).removed  # doctest: +SKIP
    {'tfzoo-kerashub': '0.1.0', 'keras-hub': '0.32.0'}
    """
    from zoo.registry.environment import installed
    from zoo.registry.install import remove
    from zoo.registry.planning import plan_removal
    from zoo.registry.transaction import repair

    repair()
    present = installed()
    versions = {name: present[canonicalize_name(name)].version for name in plan_removal(texts(plugins))}
    agreed = not dry_run and (confirm is None or confirm(versions))
    if agreed:
        remove(list(versions))
    return Removal(versions, agreed)


def new_plugin(name: str, folder: str | Path | None = None, *, backbone: bool = True, head: bool = True) -> Path:
    """Start a plugin: a complete distribution with a backbone and a head that work, and a test. Returns its folder.

    name      lower case letters, digits and "-", for example "my-nets"
    folder    the folder to create; without it, one called as the plugin
    backbone  whether it offers a backbone
    head      whether it offers a task head

    Raises `zoo.ZooError` when the name cannot be a package's, or the folder is not empty or cannot be written.

    >>> import zoo
    >>> sorted(path.name for path in zoo.new_plugin("my-nets").iterdir())
    ['.gitignore', 'README.md', 'pyproject.toml', 'tests', 'zoo_my_nets']
    """
    from zoo.registry.scaffold import scaffold

    return scaffold(name, local_path(folder or name, "plugins"), backbone=backbone, head=head)


def _carry_out(
    plan: InstallPlan, options: Options, dry_run: bool, confirm: Callable[[InstallPlan], bool] | None
) -> Installation:
    from zoo.registry.install import built, carry_out

    if not plan.candidates or dry_run or (confirm is not None and not confirm(plan)):
        return Installation(plan, [], False)
    if not plan.builds:
        return Installation(plan, carry_out(plan, options), True)
    with built(plan, options) as whole:
        if whole.brings_more_than(plan) and confirm is not None and not confirm(whole):
            return Installation(whole, [], False)
        return Installation(whole, carry_out(whole, options), True)
