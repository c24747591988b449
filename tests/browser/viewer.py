"""OHIF as a person works with it: the list of studies, the series beside, the viewport."""

import re
from base64 import b64decode
from io import BytesIO
from typing import Final

from PIL import Image
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

from arcuate.waiting import wait_until

#: "I:1 (5/80)" is the fifth of eighty images.
_IMAGE_OF: Final = re.compile(r"\((\d+)/\d+\)")
_A_NOTCH_SECONDS: Final = 5
_CANVAS: Final = "canvas.cornerstone-canvas"
_AS_PNG: Final = "canvas => canvas.toDataURL('image/png').split(',')[1]"
_TAKEN_BACK: Final = "net::ERR_ABORTED"
_AS_BYTES: Final = """async shown => {
    const bytes = new Uint8Array(await (await fetch(shown.data)).arrayBuffer());
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


class Viewer:
    """A page of OHIF that keeps a list of what went wrong between it and a node.

    Attributes
    ----------
    requests
        Method and address, below the DICOMweb root, of all that the node answered.
    faults
        Requests the node refused or the browser blocked, and why it blocked them.
    """

    def __init__(self, context: BrowserContext, url: str, dicom_web: str) -> None:
        self.page: Page = context.new_page()
        self.requests: list[str] = []
        self.faults: list[str] = []
        self._url = url
        self._dicom_web = dicom_web
        for greeting in ("Skip all", "Confirm and hide"):
            button = self.page.get_by_text(greeting, exact=True)
            self.page.add_locator_handler(button, lambda shown: shown.click())
        self.page.on("response", self._note_answer)
        self.page.on("requestfailed", self._note_failure)
        self.page.on("console", self._note_message)

    def open_list(self) -> None:
        """Open the list of studies."""
        self.page.goto(self._url)

    def open_study(self, study_instance_uid: str, fresh: bool = False) -> None:
        """Open a study by its address, as a link in a record system does, unless it is open."""
        address = f"{self._url}/viewer?StudyInstanceUIDs={study_instance_uid}"
        if fresh or self.page.url != address:
            self.page.goto(address)
            expect(self.viewport.locator(_CANVAS)).to_be_visible()

    def filter_patients(self, name: str) -> None:
        """Type into the first field above the list, which is the patient's name or ID."""
        self.page.get_by_role("row", name="Reset filters").get_by_role("textbox").first.fill(name)

    def show(self, series_number: int) -> None:
        """Put a series into the viewport, by a double click on it in the list beside."""
        number = self.page.get_by_text(f"S:{series_number}", exact=True)
        self.page.locator("[data-cy^=study-browser-thumbnail]").filter(has=number).dblclick()

    @property
    def viewport(self) -> Locator:
        return self.page.locator("[data-cy=viewport-pane]")

    def scroll_to(self, image: int) -> None:
        """Turn the wheel over the viewport until an image is shown, one notch after the other.

        While it loads, the viewer passes over a notch now and then.
        """
        self.viewport.hover()
        while (shown := self._image_shown()) != image:
            self.page.mouse.wheel(0, 120 if shown < image else -120)
            wait_until(lambda shown=shown: self._image_shown() != shown, _A_NOTCH_SECONDS)

    def described(self) -> str:
        """What the page says of itself, for whoever reads why a test failed."""
        return f"{self.page.locator('body').inner_text()}\n{self.requests[-20:]}\n{self.faults}"

    def _image_shown(self) -> int:
        numbers = _IMAGE_OF.search(self.viewport.inner_text())
        return int(numbers[1]) if numbers else 0

    def painted(self) -> Image.Image:
        """What is painted in the viewport, without what is written over it."""
        png = self.viewport.locator(_CANVAS).evaluate(_AS_PNG)
        return Image.open(BytesIO(b64decode(png))).convert("RGB")

    def shown_pdf(self) -> bytes:
        """The document in the viewport."""
        shown = self.viewport.locator("object[type='application/pdf']")
        return b64decode(shown.evaluate(_AS_BYTES))

    def _note_answer(self, response: Response) -> None:
        if not response.url.startswith(self._dicom_web):
            return
        asked = f"{response.request.method} {response.url.removeprefix(self._dicom_web)}"
        self.requests.append(asked)
        if response.status >= 400:
            self.faults.append(f"{asked}: {response.status}")

    def _note_failure(self, request: Request) -> None:
        # It takes back what it asked for a study that is left.
        if request.url.startswith(self._dicom_web) and request.failure != _TAKEN_BACK:
            self.faults.append(f"{request.method} {request.url}: {request.failure}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "CORS" in message.text:
            self.faults.append(message.text)
