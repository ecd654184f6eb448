import pytest

from core.domain.dimensions import Size
from core.domain.gallery import Shape, contains


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("A boat on a lake", "BOAT lake", True),
        ("A boat on a lake", "boat sea", False),
        ("A boat on a lake", "  ", True),
        ("Корабль на МОРЕ", "море", True),
        ("ΘΆΛΑΣΣΑ", "θάλασσα", True),
        ("STRASSE", "straße", True),
        ("cafe\u0301 at night", "CAFÉ", True),
        ("桜の下の猫", "猫", True),
        ("桜の下の猫", "犬", False),
        ("قارب على البحيرة", "البحيرة", True),
        ("ｆｕｌｌ width", "full", True),
        ("100 % wool", "100 %", True),
        ("100 x wool", "%", False),
        ("snake_case", "e_c", True),
        ("snakexcase", "e_c", False),
        ("a\\b", "\\", True),
        ("it's", "'", True),
    ],
)
def test_words_are_found_in_any_script_and_signs_stand_for_themselves(
    text: str, words: str, *, found: bool
) -> None:
    assert contains(text, words) is found


@pytest.mark.parametrize(
    ("size", "shape"),
    [
        (Size(1216, 704), Shape.WIDE),
        (Size(704, 1216), Shape.TALL),
        (Size(960, 960), Shape.SQUARE),
        (Size(960, 1000), Shape.SQUARE),
        (Size(896, 1024), Shape.TALL),
    ],
)
def test_a_shape_is_how_the_clip_lies(size: Size, shape: Shape) -> None:
    assert Shape.of(size) is shape
