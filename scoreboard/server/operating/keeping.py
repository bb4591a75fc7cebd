"""Making a backup, and a data directory of one."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from scoreboard.security.personal import PersonalVault
from scoreboard.server.keychain import MastersOnDisk, key_times
from scoreboard.server.offline import NO_REDIS
from scoreboard.server.operating.asking import LOCKS, holder_of
from scoreboard.server.operating.safe import (
    DATABASE,
    FILES,
    Manifest,
    copy_files,
    differences,
    growing,
    opened,
    put_files,
    seal,
)
from scoreboard.settings import Settings
from scoreboard.stores.backup import BackupError, Contents, dump, restore
from scoreboard.stores.embedded import embedded_postgres
from scoreboard.stores.embedded_errors import DataDirectoryBusy
from scoreboard.stores.embedded_postgres import running_url
from scoreboard.stores.opening import open_stores
from scoreboard.stores.seals import verify
from scoreboard.stores.vacancy import vacated

Tell = Callable[[str], None]


async def back_up(settings: Settings, to: Path) -> Contents:
    """Write the whole server to a new folder, whether it runs or not. Raises as `dump` and `growing`."""
    data_dir = Path(settings.data_dir)
    _require_new(to)
    with growing(to) as folder:
        copy_files(data_dir, folder / FILES)  # a key that is retired meanwhile may be needed for what is dumped
        async with _database(settings) as url:
            contents = await dump(url, folder / DATABASE)
        copy_files(data_dir, folder / FILES)  # and so may one that came meanwhile
        await trio.to_thread.run_sync(seal, folder, contents)
    return contents


async def put_back(settings: Settings, source: Path, tell: Tell, *, clear: bool = False) -> None:
    """Make the data directory, which must not be there, of a backup, and see that nothing is missing.

    The database that the settings name must be empty, or is cleared. However this fails, it holds what it held before.

    Raises:
        BackupError: it is damaged, there is something already, or what was restored is not what it was.
    """
    data_dir = Path(settings.data_dir)
    require_free(data_dir)
    told = await trio.to_thread.run_sync(opened, source)
    async with AsyncExitStack() as scopes:
        url = settings.stores.postgres_url
        if url is not None:
            await scopes.enter_async_context(vacated(url, clear=clear))
        folder = scopes.enter_context(growing(data_dir))
        put_files(source, folder)
        if url is None:
            async with embedded_postgres(folder) as own:
                await _fill(own, settings, folder, source, told, tell)
        else:
            await _fill(url, settings, folder, source, told, tell)


async def rehearse(settings: Settings, source: Path, tell: Tell) -> None:
    """Restore a backup into a scratch directory beside it, which is removed again. Raises as `put_back`."""
    told = await trio.to_thread.run_sync(opened, source)
    with tempfile.TemporaryDirectory(prefix="scratch-", dir=source.parent, ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        put_files(source, folder)
        async with embedded_postgres(folder) as url:
            await _fill(url, settings, folder, source, told, tell)


def _require_new(to: Path) -> None:
    if to.exists():
        raise BackupError(f"{to} is there already; name a folder that is not")


def require_free(data_dir: Path) -> None:
    """Raises BackupError if somebody uses the directory, or there is anything in it."""
    for name in LOCKS:
        if (holder := holder_of(data_dir / name)) is not None:
            raise BackupError(f"{data_dir} is in use by process {holder}; restore beside it, or stop that first")
    if data_dir.exists() and any(data_dir.iterdir()):
        raise BackupError(f"{data_dir} has something in it already; move that away, or name another directory")


async def _fill(url: str, settings: Settings, folder: Path, source: Path, told: Manifest, tell: Tell) -> None:
    """The database, and whether it is what it was: counts, sums, ranks; seals; and that persons can be read."""
    missing = differences(told, await restore(url, source / DATABASE))
    if missing:
        raise BackupError("; ".join(missing))
    told_of = f"{told.contents['players']} players, {told.contents['scores']} scores"
    tell(f"restored {told_of}: counts, sums and ranks are as they were")
    vault = PersonalVault(MastersOnDisk(folder, key_times(settings)))
    async with open_stores(url, NO_REDIS, vault, postgres_connections=1) as stores:
        await stores.open_to_persons()
        verdict = await verify(stores.database)
    if verdict.findings:
        raise BackupError(f"the audit has {len(verdict.findings)} findings, the first: {verdict.findings[0].says}")
    tell("the audit verifies, and the keys open what is encrypted")
    if stores.migrations:
        tell(f"brought up to date: {', '.join(stores.migrations)}")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    """The server's; its own is started for as long as this takes unless it runs already."""
    url, data_dir = settings.stores.postgres_url, Path(settings.data_dir)
    if url is not None:
        yield url
        return
    if not (data_dir / "postgres" / "cluster").exists():
        raise BackupError(f"{data_dir} has no database of its own; name the server's with --postgres")
    try:
        own = partial(embedded_postgres, data_dir)
        async with own() as started:
            yield started
    except DataDirectoryBusy:
        yield running_url(data_dir)
