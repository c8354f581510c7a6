"""What `import-openapi` makes of bodies and answers of all kinds, of values of several kinds, and of who asks."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from examples.rendering import ROOT
from extensions.adopting.adopted import Adopted
from extensions.adopting.openapi import adopt, adopt_by_tag
from extensions.commands import import_openapi
from extensions.judging.judge import judge

LIBRARY = ROOT / "tests" / "generation" / "library_api.yaml"


@pytest.fixture(scope="module")
def library() -> Adopted:
    return adopt(LIBRARY)


def operation(adopted: Adopted, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in adopted.contract["operations"] if one["name"] == name)
    return found


def changed(folder: Path, *path: str, value: object) -> Path:
    """Write the library's document with another value at a place, and return where it is."""
    document = yaml.safe_load(LIBRARY.read_text())
    holder = document
    for part in path[:-1]:
        holder = holder[part]
    holder[path[-1]] = value
    file = folder / "api.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def test_nothing_is_left_to_a_person(library: Adopted) -> None:
    assert judge(library.contract) == []
    assert [one["name"] for one in library.contract["operations"] if "handler" in one] == []


def test_forms_and_parts(library: Adopted) -> None:
    form = operation(library, "register")
    assert form["input"]["email"] == {"type": "string", "format": "email"}
    assert form["http"]["form"] == {
        "email": "${input.email}",
        "interests": "${input.interests}",
        "class": "${input.class_value}",
    }
    parts = operation(library, "send_photo")
    assert parts["input"]["photo"] == "bytes"
    assert parts["http"]["multipart"] == {
        "photo": {"content": "${input.photo}", "filename": "photo"},
        "note": "${input.note}",
    }
    assert parts["http"]["omit_null"] is True


def test_text_and_bytes(library: Adopted) -> None:
    put = operation(library, "put_cover")
    assert (put["input"]["body"], put["http"]["bytes"]) == ("bytes", "${input.body}")
    assert put["http"]["headers"] == {"Content-Type": "image/png"}
    assert operation(library, "put_summary")["http"]["text"] == "${input.body}"
    assert operation(library, "read_cover")["output"] == {"content": "bytes"}
    assert operation(library, "read_summary")["http"]["extract"] == {"content": {"text": True}}


def test_pages(library: Adopted) -> None:
    pages = operation(library, "list_books")
    assert pages["output"]["more"] == "boolean"
    assert pages["http"]["pages"]["next"] == {"link": "next"}


def test_who_asks(library: Adopted) -> None:
    assert library.contract["integrations"]["api_client"]["headers"] == {
        "Authorization": "Bearer ${secret.CITY_LIBRARY_TOKEN}"
    }
    assert operation(library, "send_photo")["http"]["headers"] == {"desk_key": "${secret.CITY_LIBRARY_DESK}"}
    assert "headers" not in operation(library, "show_book")["http"]


def test_operations_say_who_asks_where_the_document_does_not(tmp_path: Path) -> None:
    found = adopt(changed(tmp_path, "security", value=[]))
    assert "headers" not in found.contract["integrations"]["api_client"]
    assert operation(found, "send_photo")["http"]["headers"] == {"desk_key": "${secret.CITY_LIBRARY_DESK}"}


def test_listed_values(library: Adopted) -> None:
    fields = library.contract["models"]["Book"]["fields"]
    assert library.contract["enums"][fields["kind"]]["values"] == ["printed", "spoken"]
    assert fields["rank"] == {"type": "integer", "enum": [1, 2], "required": False}
    assert fields["pages"] == {"type": "integer", "minimum": 1, "required": False}


def test_values_of_several_kinds_are_left_out_and_told(library: Adopted) -> None:
    fields = library.contract["models"]["Book"]["fields"]
    assert "extent" not in fields
    assert fields["notes"] == {"type": "array", "required": False}
    assert ("Book.extent", "left out, since its values are of several kinds") in library.notes
    # What is asked for in a query is text, whatever its kind.
    assert operation(library, "list_books")["input"]["year"] == {"type": "string", "required": False}
    # An answer may lack what its model leaves out.
    assert "since" not in library.contract["models"]["Status"]["fields"]


def test_a_body_that_would_lack_what_it_must_have_is_left_to_a_person(tmp_path: Path) -> None:
    required = ["isbn", "title", "kind", "extent"]
    found = adopt(changed(tmp_path, "components", "schemas", "Book", "required", value=required))
    assert operation(found, "add_book")["handler"] == "custom"
    assert "http" in operation(found, "show_book")


def test_what_tells_operations_of_one_path_apart_is_not_asked_for(library: Adopted) -> None:
    assert operation(library, "show_status")["http"]["path"] == "/status"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("components", "schemas", "Book", "properties"), "nothing"),
        (("components", "schemas", "Book", "properties", "notes", "items"), "nothing"),
        (("components", "schemas", "Book", "properties", "title"), True),
        (("components", "schemas", "Book"), ["nothing"]),
        (("info", "description"), {"$ref": "elsewhere.md"}),
        (("paths", "/readers", "post", "requestBody"), {"content": {"multipart/form-data": {"schema": True}}}),
        (("paths", "/readers", "post", "security"), "nobody"),
        (("paths", "/books", "get"), {"$ref": "#/paths/~1readers/post"}),
    ],
)
def test_an_unsound_part_is_left_out_or_told(tmp_path: Path, path: tuple[str, ...], value: object) -> None:
    file = changed(tmp_path, *path, value=value)
    ended = import_openapi.main([str(file), "-o", str(tmp_path / "node.yaml")])
    assert ended in {0, 1}
    assert (tmp_path / "node.yaml").exists() or ended == 1


def test_a_contract_for_each_tag(tmp_path: Path) -> None:
    found = adopt_by_tag(LIBRARY)
    assert [one.contract["name"] for one in found] == ["city_library_books", "city_library_readers", "city_library"]
    assert {one.contract["package"] for one in found} == {"city_library_nodes"}
    assert [judge(one.contract) for one in found] == [[], [], []]
    assert [one["name"] for one in found[2].contract["operations"]] == ["show_status"]

    folder = tmp_path / "contracts"
    assert import_openapi.main([str(LIBRARY), "--per-tag", "-o", str(folder)]) == 0
    assert len(list(folder.iterdir())) == 3
    (folder / "city_library.yaml").unlink()
    assert import_openapi.main([str(LIBRARY), "--per-tag", "-o", str(folder)]) == 1
    assert not (folder / "city_library.yaml").exists()


@pytest.mark.parametrize("other", [["--tag", "books"], ["--operations", "listBooks"], ["--json"], []])
def test_a_contract_for_each_tag_needs_a_folder_and_no_choice(
    other: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = ["-o", str(tmp_path / "contracts")] if other else []
    with pytest.raises(SystemExit) as ended:
        import_openapi.main([str(LIBRARY), "--per-tag", *output, *other])
    assert ended.value.code == 2
    assert "--per-tag goes with --output" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "node.yaml"
    output.write_text("mine")
    assert import_openapi.main([str(LIBRARY), "-o", str(output)]) == 1
    assert f"'{output}': File exists" in capsys.readouterr().err
    assert output.read_text() == "mine"
