"""Photos: decoded, stripped, kept apart, and shown to those who have to do with the person."""

import base64
import io
import random
from typing import Any

import pytest
from httpx2 import AsyncClient
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from app.errors import PhotoInvalid
from app.register.entries import photos
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import entry_body, urgent_body
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, expect, impose, submit

GPS, DESCRIPTION, ORIENTATION = 0x8825, 0x010E, 0x0112


def picture(form: str = "JPEG", mode: str = "RGB", size: tuple[int, int] = (32, 48), **options: Any) -> bytes:
    """A picture whose left half is dark and whose right half is light."""
    drawn = Image.new("L", size, 255)
    drawn.paste(0, (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    drawn.convert(mode).save(out, form, **options)
    return out.getvalue()


def taken(raw: bytes, media_type: str = "image/jpeg") -> Image.Image:
    """The picture as it is stored."""
    blob = photos.take(media_type, base64.b64encode(raw).decode())
    return Image.open(io.BytesIO(blob.data))


def secretive() -> Image.Exif:
    """What a camera notes beside the pixels."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    exif[DESCRIPTION] = "Secret Address 1"
    exif.get_ifd(GPS)[2] = (6.0, 10.0, 30.0)
    return exif


def test_nothing_but_pixels_survives():
    raw = picture(exif=secretive(), comment=b"Secret Comment") + b"Secret Tail"
    stored = taken(raw)
    assert b"Secret" in raw
    blob = photos.take("image/jpeg", base64.b64encode(raw).decode())
    assert b"Secret" not in blob.data
    assert dict(stored.getexif()) == {}


def test_the_picture_is_turned_as_the_camera_meant_it():
    stored = taken(picture(exif=secretive()))
    assert stored.size == (48, 32)
    grey = stored.convert("L")
    assert [grey.getpixel((24, y)) for y in (4, 28)] == [0, 255], "the left half is on top"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_png_is_redrawn(mode: str):
    stored = taken(picture("PNG", "RGB" if mode == "I;16" else mode), "image/png")
    assert (stored.format, stored.size) == ("PNG", (32, 48))
    assert stored.convert("L").getpixel((28, 20)) == 255


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_kind_of_jpeg_is_redrawn(mode: str):
    assert taken(picture("JPEG", mode)).mode == "RGB"


def test_the_same_picture_has_the_same_hash_and_redrawing_is_stable():
    first, second = (photos.take("image/png", base64.b64encode(picture("PNG")).decode()) for _ in range(2))
    assert first.sha256 == second.sha256
    again = photos.take("image/png", base64.b64encode(first.data).decode())
    assert again.sha256 == first.sha256


def noise(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """A picture that nothing compresses well."""
    drawn = Image.frombytes("RGB", size, random.Random(7).randbytes(size[0] * size[1] * 3))
    return drawn.quantize(16) if mode == "P" else drawn.convert(mode)


@pytest.mark.parametrize(
    ("form", "mode", "options"),
    [
        ("JPEG", "RGB", {"quality": 30}),
        ("JPEG", "RGB", {"quality": 1}),
        ("JPEG", "L", {"quality": 40, "optimize": True}),
        ("JPEG", "CMYK", {"quality": 20}),
        ("PNG", "P", {"optimize": True}),
        ("PNG", "1", {"optimize": True}),
        ("PNG", "RGBA", {"optimize": True}),
    ],
)
def test_a_photo_never_grows_by_being_redrawn(form: str, mode: str, options: dict[str, Any]):
    out = io.BytesIO()
    noise((360, 480), mode).save(out, form, **options)
    stored = photos.take(f"image/{form.lower()}", base64.b64encode(out.getvalue()).decode())
    assert len(stored.data) <= max(len(out.getvalue()), photos.SMALL)
    width, height = Image.open(io.BytesIO(stored.data)).size
    assert width * 4 == height * 3


@pytest.mark.parametrize("quality", [85, 60, 30])
def test_a_jpeg_is_encoded_once_with_tables_like_its_own(monkeypatch: pytest.MonkeyPatch, quality: int):
    out, saved = io.BytesIO(), list[int]()
    Image.effect_noise((360, 480), 48).convert("RGB").save(out, "JPEG", quality=quality, comment=b"-" * 1000)
    save = Image.Image.save

    def noted(self: Image.Image, *args: Any, **options: Any) -> None:
        saved.append(options["quality"])
        save(self, *args, **options)

    monkeypatch.setattr(Image.Image, "save", noted)
    stored = photos.take("image/jpeg", base64.b64encode(out.getvalue()).decode())
    assert saved == [quality]
    assert len(stored.data) <= len(out.getvalue())


def test_a_jpeg_that_has_no_room_for_its_own_quality_gets_the_next_lower_one(monkeypatch: pytest.MonkeyPatch):
    out, saved = io.BytesIO(), list[int]()
    Image.effect_noise((360, 480), 48).convert("RGB").save(out, "JPEG", quality=85, optimize=True)
    save = Image.Image.save

    def noted(self: Image.Image, *args: Any, **options: Any) -> None:
        saved.append(options["quality"])
        save(self, *args, **options)

    monkeypatch.setattr(Image.Image, "save", noted)
    photos.take("image/jpeg", base64.b64encode(out.getvalue()).decode())
    assert saved == [85, 80]


@pytest.mark.parametrize(("side", "tried"), [(1000, True), (1001, False)])
def test_the_best_compression_is_tried_on_small_pictures_only(
    monkeypatch: pytest.MonkeyPatch, side: int, *, tried: bool
):
    out, chosen = io.BytesIO(), set[bool]()
    noise((128, 128)).resize((side, side), Image.Resampling.NEAREST).save(out, "PNG", optimize=True)
    save = Image.Image.save

    def noted(self: Image.Image, *args: Any, **options: Any) -> None:
        chosen.add(bool(options.get("optimize")))
        save(self, *args, **options)

    monkeypatch.setattr(Image.Image, "save", noted)
    stored = photos.take("image/png", base64.b64encode(out.getvalue()).decode())
    assert len(stored.data) <= len(out.getvalue())
    assert chosen == ({False, True} if tried else {False})


def test_the_size_of_a_picture_is_read_before_a_pixel_is_drawn(monkeypatch: pytest.MonkeyPatch):
    raw = base64.b64encode(picture("PNG", "1", (4000, 4000))).decode()
    monkeypatch.setattr(Image.Image, "load", lambda _: pytest.fail("drawn"))
    monkeypatch.setattr(PngImageFile, "load", lambda _: pytest.fail("drawn"))
    with pytest.raises(PhotoInvalid):
        photos.take("image/png", raw)


@pytest.mark.parametrize(
    ("media_type", "data", "pointer", "code"),
    [
        ("image/jpeg", "%", "data", "base64"),
        ("image/jpeg", "é", "data", "base64"),
        ("image/jpeg", "", "data", "undecodable"),
        ("image/jpeg", base64.b64encode(b"no picture").decode(), "data", "undecodable"),
        ("image/jpeg", base64.b64encode(picture("PNG")).decode(), "data", "undecodable"),
        ("image/png", base64.b64encode(picture("JPEG")).decode(), "data", "undecodable"),
        ("image/jpeg", base64.b64encode(picture()[:200]).decode(), "data", "undecodable"),
        ("image/jpeg", base64.b64encode(picture("GIF")).decode(), "data", "undecodable"),
        ("image/gif", base64.b64encode(picture("GIF")).decode(), "media_type", "type"),
        ("image/jpeg", base64.b64encode(b"\xff" * (photos.LARGEST + 1)).decode(), "data", "size"),
        ("image/png", base64.b64encode(picture("PNG", "1", (2001, 2000))).decode(), "data", "pixels"),
        ("image/png", base64.b64encode(picture("PNG", "1", (1, 70_000_000))).decode(), "data", "pixels"),
    ],
    ids=lambda value: value if len(value) < 20 else "",
)
def test_what_is_no_photo_is_refused_for_what_it_is(media_type: str, data: str, pointer: str, code: str):
    with pytest.raises(PhotoInvalid) as raised:
        photos.take(media_type, data)
    (fault,) = raised.value.faults
    assert (fault.pointer, fault.code) == (f"/subject/photo/{pointer}", code)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
def test_a_broken_photo_is_redrawn_or_refused_and_raises_nothing_else():
    chance = random.Random(20261123)
    seeds = [
        ("image/jpeg", picture(exif=secretive(), progressive=True)),
        ("image/jpeg", picture(exif=secretive())),
        ("image/png", picture("PNG", "P")),
        ("image/png", picture("PNG", exif=secretive())),
    ]
    outcomes = {"redrawn": 0, "refused": 0}
    for _ in range(1500):
        media_type, raw = chance.choice(seeds)
        broken = bytearray(raw)
        for _ in range(chance.randint(1, 5)):
            place = chance.randrange(min(len(broken), 400))
            if chance.random() < 0.7:
                broken[place] = chance.randrange(256)
            else:
                del broken[place : place + chance.randint(1, 9)]
        try:
            photos.take(media_type, base64.b64encode(broken).decode())
            outcomes["redrawn"] += 1
        except PhotoInvalid:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 50


def test_a_photo_whose_notes_are_broken_is_still_a_photo():
    raw = picture(exif=secretive())
    place = raw.index(b"Exif\0\0") + 8
    stored = taken(raw[:place] + b"\xff\xff" + raw[place + 2 :])
    assert stored.size == (32, 48), "as the pixels stand"


async def test_a_photo_is_shown_as_stored_and_every_look_is_recorded(http: AsyncClient, actors: Actors):
    entry = await submit(http, await actors.client("submitter"))
    told = entry["subject"]["photo"]
    assert told == {
        "sha256": told["sha256"],
        "media_type": "image/jpeg",
        "url": f"/v1/entries/{entry['id']}/photo",
    }
    auditor = await actors.client("auditor")
    lookers = [await actors.client(role) for role in ("submitter", "verifier", "approver", "duty_officer")]
    for looker in (*lookers, auditor):
        response = await http.get(told["url"], headers=looker.headers)
        assert (response.status_code, response.headers["content-type"]) == (200, "image/jpeg")
        assert response.headers["cache-control"] == "no-store"
        assert response.content == photos.take("image/jpeg", entry_body()["subject"]["photo"]["data"]).data
    acts = expect(await http.get("/v1/audit?act=photo.seen", headers=auditor.headers), 200)["items"]
    assert {act["client_id"] for act in acts} == {caller.id for caller in (*lookers, auditor)}
    assert {(act["object"], act["detail"]["sha256"]) for act in acts} == {(entry["id"], told["sha256"])}


async def test_a_photo_outside_ones_view_is_not_there_and_the_look_is_not_recorded(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    entry = await impose(http, actors)
    outsiders = [
        await actors.client(role) for role in ("supervisor", "checkpoint", "integrator", "carrier", "admin")
    ]
    outsiders.append(await actors.client("submitter", agency="POLRI"))
    async with nothing_changed(runtime):
        for outsider in outsiders:
            response = await http.get(entry["subject"]["photo"]["url"], headers=outsider.headers)
            refused(response, 404, "not-found")


async def test_a_resubmission_may_bring_another_photo(http: AsyncClient, actors: Actors):
    submitter, body = await actors.client("submitter"), entry_body()
    entry = await submit(http, submitter, body)
    entry = await decide(
        http, await actors.client("verifier"), entry, "return", "The photo shows somebody else."
    )
    new = {"media_type": "image/png", "data": base64.b64encode(picture("PNG")).decode()}
    path = f"/v1/entries/{entry['id']}"
    body["subject"]["photo"] = new
    entry = expect(await http.put(path, json=body, headers=submitter.on('"2"')), 200)
    assert entry["subject"]["photo"]["media_type"] == "image/png"
    shown = await http.get(f"{path}/photo", headers=submitter.headers)
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(shown.content)).size == (32, 48)


async def test_a_photo_of_one_mebibyte_is_taken(http: AsyncClient, actors: Actors):
    noise = random.Random(7).randbytes(photos.LARGEST)
    raw = (picture() + noise)[: photos.LARGEST]
    body = entry_body(subject={"photo": {"data": base64.b64encode(raw).decode()}})
    assert (await submit(http, await actors.client("submitter"), body))["subject"]["photo"][
        "media_type"
    ] == "image/jpeg"


async def test_a_photo_is_decoded_before_the_transaction_begins_and_only_for_who_may_submit(
    http: AsyncClient, actors: Actors, monkeypatch: pytest.MonkeyPatch
):
    """On SQLite an open transaction holds the lock that every other writer waits for."""
    submitter, verifier = await actors.client("submitter"), await actors.client("verifier")
    returned = await decide(http, verifier, await submit(http, submitter), "return", "Illegible.")
    steps: list[str] = []
    take, writing = photos.take, Runtime.writing

    def decoded(media_type: str, data: str) -> Any:
        steps.append("decoded")
        return take(media_type, data)

    def opened(runtime: Runtime, actor: Any, **given: Any) -> Any:
        steps.append("opened")
        return writing(runtime, actor, **given)

    monkeypatch.setattr(photos, "take", decoded)
    monkeypatch.setattr(Runtime, "writing", opened)
    for method, path, body, more in (
        ("POST", "/v1/entries", entry_body(), {}),
        ("PUT", f"/v1/entries/{returned['id']}", entry_body(), {"If-Match": f'"{returned["version"]}"'}),
        ("POST", "/v1/urgent-entries", urgent_body(), {"Idempotency-Key": "one"}),
    ):
        refused(
            await http.request(method, path, json=body, headers={**verifier.headers, **more}),
            403,
            "wrong-role",
        )
        assert steps == []
        answer = await http.request(method, path, json=body, headers={**submitter.headers, **more})
        assert answer.status_code in {200, 201}, answer.text
        assert steps == ["decoded", "opened"]
        steps.clear()
