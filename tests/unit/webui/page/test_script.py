"""The script in the page is the code of its files, without what is for readers only."""

from webui.page.theme import STYLES, script


def test_every_line_of_code_is_there_and_no_comment() -> None:
    shown = script()
    lines = set(shown.split("\n"))

    assert not any(line.startswith(("//", "/*", " ")) for line in lines)
    for name in ("forms.js", "gallery.js", "stage.js", "requests.js", "drafts.js"):
        inside = False
        for line in STYLES.with_name(name).read_text("utf-8").split("\n"):
            bare = line.strip()
            inside = inside or bare.startswith("/*")
            if bare and not inside and " // " not in bare and "{ /*" not in bare:
                assert bare in lines, line
            inside = inside and not bare.endswith("*/")


def test_what_stands_in_quotes_is_no_comment() -> None:
    assert '"https://huggingface.co"' in script()
