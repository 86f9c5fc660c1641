from datetime import date

from toolshed import open_library
from toolshed.cli import main


def test_the_command_line(tmp_path, capsys):
    file = str(tmp_path / "toolshed.db")
    library = open_library(file)
    drills = library.categories.add("Drills")
    library.tools.add("Hammer drill", drills, "two bits", "good")
    library.tools.add("Cordless drill", drills, "18 V", "good")
    ines = library.members.join("Ines")
    library.loans.lend(1, ines, date(2024, 5, 2), date(2024, 5, 9))
    library.close()
    for words in (
        ["search", "hammer"],
        ["open"],
        ["overdue", "--on", "2024-05-10"],
        ["members"],
        ["categories"],
        ["available"],
    ):
        assert main([file, *words]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "    1  Hammer drill",
        "    1  2024-05-09  Hammer drill, Ines",
        "    1  2024-05-09  Hammer drill, Ines",
        "Ines                    1    1     0.00",
        "Drills                  2    1",
        "    2  Cordless drill",
    ]


def test_the_rest_of_a_list_can_be_asked_for(tmp_path, capsys):
    file = str(tmp_path / "toolshed.db")
    library = open_library(file)
    for name in ("Axe", "Bow", "Cup"):
        library.tools.add(name, note="-")
    library.close()
    assert main([file, "search", "", "--limit", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["    1  Axe", "    2  Bow"]
    assert main([file, "search", "", "--limit", "2", "--after", lines[2].split()[-1]]) == 0
    assert capsys.readouterr().out.splitlines() == ["    3  Cup"]


def test_mistakes_end_with_one(tmp_path, capsys):
    assert main([str(tmp_path / "x.db"), "open", "--after", "x"]) == 1
    assert "'x' is no cursor" in capsys.readouterr().err
