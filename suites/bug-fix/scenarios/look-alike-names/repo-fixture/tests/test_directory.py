from datetime import datetime

import pytest

from lanyard import BadHandle, Directory, HandleTaken, UnknownAttendee


@pytest.fixture
def guests():
    directory = Directory()
    directory.register("tove", "Tove Lindqvist", datetime(2024, 2, 1))
    directory.register("Juan", "Juan de la Torre", datetime(2024, 2, 2))
    return directory


def test_a_guest_is_found_whatever_the_capitals(guests):
    assert guests.find("TOVE").name == "Tove Lindqvist"
    assert guests.find("juan").handle == "Juan"
    with pytest.raises(UnknownAttendee):
        guests.find("kim")


def test_a_handle_has_one_owner(guests):
    with pytest.raises(HandleTaken) as caught:
        guests.register("JUAN", "Another Juan")
    assert caught.value.owner == "Juan"
    assert len(guests) == 2


@pytest.mark.parametrize("handle", ["x", "a" * 21, "1st", "_x", "a b", "a-b", "a.b", "", "@tove"])
def test_not_everything_can_be_a_handle(guests, handle):
    with pytest.raises(BadHandle):
        guests.register(handle, "Nobody")


@pytest.mark.parametrize("handle", ["ab", "a" * 20, "a_1", "Zoë", "Łukasz", "ünal", "山田"])
def test_letters_of_all_scripts_are_welcome(guests, handle):
    assert guests.register(handle, "Somebody").handle == handle


def test_accents_tell_people_apart(guests):
    guests.register("jose", "Jose Field")
    guests.register("josé", "José Campo")
    assert guests.find("JOSÉ").name == "José Campo"
    assert guests.find("JOSE").name == "Jose Field"


def test_a_guest_can_be_renamed(guests):
    guests.rename("juan", "juan_t")
    assert guests.find("juan_t").name == "Juan de la Torre"
    with pytest.raises(UnknownAttendee):
        guests.find("juan")
    with pytest.raises(HandleTaken):
        guests.rename("juan_t", "Tove")
    assert guests.rename("tove", "Tove").handle == "Tove"


def test_a_guest_can_be_removed(guests):
    assert guests.remove("TOVE").handle == "tove"
    assert [guest.handle for guest in guests] == ["Juan"]


def test_guests_come_in_the_order_of_joining(guests):
    guests.register("early", "Early Bird", datetime(2024, 1, 1))
    assert [guest.handle for guest in guests] == ["early", "tove", "Juan"]
