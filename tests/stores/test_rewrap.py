from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from actors.ports import Registered, StoreUnavailable, UserId
from scoreboard.__main__ import main
from scoreboard.security import keyfiles
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.passwords import nobodys
from scoreboard.security.personal import PersonalVault, master_id
from scoreboard.stores.opening import Stores, open_stores
from scoreboard.stores.personal_rewrap import rewrap, wrapped_by
from tests.contract.making import account, act

pytestmark = pytest.mark.stores

OLD, NEW = bytes(32), b"\1" * 32
NO_REDIS = "redis://127.0.0.1:1"


async def players(stores: Stores, count: int) -> list[UserId]:
    """So many who have registered."""
    made = [await stores.accounts.register(account(f"player{number}")) for number in range(count)]
    return [each.fact.user_id for each in made if isinstance(each, Registered)]


async def test_all_keys_come_under_the_new_master_key(postgres_url: str) -> None:
    """In bites; who stops in the middle goes on there. Then the old one is not needed, and who was erased stays so."""
    async with open_stores(postgres_url, NO_REDIS, PersonalVault(lambda: (OLD,))) as stores:
        everybody = await players(stores, 7)
        await stores.erasure.erase(everybody[0], "erased-1", nobodys(4), act())
    both, heard = PersonalVault(lambda: (NEW, OLD)), list[tuple[int, int]]()

    def stop(done: int, of: int) -> None:
        heard.append((done, of))
        if done == 4:
            raise KeyError

    async with open_stores(postgres_url, NO_REDIS, both) as stores:
        with pytest.raises(KeyError):
            await rewrap(stores.database, both, stop, bite=2)
        assert [(0, 8), (2, 8), (4, 8)] == heard  # six players, e-mail addresses, operators
        assert 4 == await wrapped_by(stores.database, master_id(OLD))
        assert 4 == await rewrap(stores.database, both, lambda _done, _of: None, bite=2)
        assert 0 == await wrapped_by(stores.database, master_id(OLD))
        assert 0 == await rewrap(stores.database, both, lambda _done, _of: None)
    async with open_stores(postgres_url, NO_REDIS, PersonalVault(lambda: (NEW,))) as stores:
        await stores.open_to_persons()
        profiles = [await stores.profiles.profile(user_id) for user_id in everybody]
        assert ["erased", *(f"player{n}@example.org" for n in range(1, 7))] == [each.email for each in profiles if each]


async def test_what_cannot_be_opened_stays_as_it_is(postgres_url: str) -> None:
    """Without the old master key, and without any."""
    async with open_stores(postgres_url, NO_REDIS, PersonalVault(lambda: (OLD,))) as stores:
        await players(stores, 2)
        for masters in ((NEW,), ()):
            with pytest.raises(StoreUnavailable, match="master key"):
                await rewrap(stores.database, PersonalVault(lambda masters=masters: masters), lambda _done, _of: None)  # type: ignore[misc]
        assert 3 == await wrapped_by(stores.database, master_id(OLD))


async def test_an_operator_replaces_the_master_key(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rotate, wrap anew, retire: each in its turn, and not before."""
    data = ["--data", str(tmp_path)]
    everywhere = [*data, "--postgres", postgres_url]

    async def verb(*words: str) -> Result:
        return await trio.to_thread.run_sync(partial(CliRunner().invoke, main, ["key", *words]))

    ring = load_keys(tmp_path)
    async with open_stores(postgres_url, NO_REDIS, PersonalVault(lambda: ring.master_keys)) as stores:
        await players(stores, 3)
    assert "master-2.key" in (await verb("rotate", "master", *data)).output
    early = await verb("rewrap", *everywhere)
    assert (1, True) == (early.exit_code, "master-2.key is too new" in early.output)
    made_s = keyfiles.made_s
    monkeypatch.setattr(keyfiles, "made_s", lambda path: made_s(path) - 3600)
    kept = await verb("retire", "master-1", *everywhere)
    assert (1, True) == (kept.exit_code, "wraps 4 keys of persons" in kept.output), kept.output
    done = await verb("rewrap", *everywhere)
    assert (0, True) == (done.exit_code, "4 keys are wrapped anew" in done.output), done.output
    assert 0 == (await verb("retire", "master-1", *everywhere)).exit_code
    ring = load_keys(tmp_path)
    async with open_stores(postgres_url, NO_REDIS, PersonalVault(lambda: ring.master_keys)) as stores:
        await stores.open_to_persons()
