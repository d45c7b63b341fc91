"""A page in a headless Chromium, driven by the Chrome DevTools Protocol over two pipes (`--remote-debugging-pipe`)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
_SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


class Tab:
    """One tab. Commands and their names are the protocol's."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write, self._number, self._session = read, write, 0, ""
        self._rest = b""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Page.enable")
        self.send("Performance.enable", timeDomain="threadTicks")

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """A command and its result."""
        self._number += 1
        asked: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._write, json.dumps(asked).encode() + b"\0")
        answer = self._wait("id", self._number)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _wait(self, key: str, value: object) -> dict[str, Any]:
        while True:
            while b"\0" not in self._rest:
                more = os.read(self._read, 1 << 16)
                assert more, "the browser ended"
                self._rest += more
            text, _, self._rest = self._rest.partition(b"\0")
            message: dict[str, Any] = json.loads(text)
            if message.get(key) == value:
                return message

    def open(self, page: Path) -> None:
        """Load a page to its end."""
        self.send("Page.navigate", url=page.as_uri())
        self._wait("method", "Page.loadEventFired")

    def media(self, *, media: str = "", scheme: str = "light") -> None:
        """What the style sheet sees: `print` or the screen, light or dark."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", media=media, features=[feature])

    def size(self, width: int, height: int = 844) -> None:
        """The width of the window in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def busy(self) -> float:
        """The seconds that the page's own thread has computed so far; what else the machine does is not counted."""
        metrics = {row["name"]: row["value"] for row in self.send("Performance.getMetrics")["metrics"]}
        return float(metrics["TaskDuration"])

    def press(self, key: str, code: int, text: str = "") -> None:
        """A key of the keyboard, pressed and let go."""
        for kind in ("keyDown", "keyUp"):
            shown = {"text": text} if text and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **shown)

    def picture(self, file: Path) -> None:
        """What a reader sees, as a PNG."""
        file.write_bytes(b64decode(self.send("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browser(folder: Path) -> Iterator[Tab]:
    """A browser of its own, its profile below the folder; ended at the end."""
    commands, write = os.pipe()
    read, answers = os.pipe()

    def pipes() -> None:  # the protocol reads at 3 and answers at 4
        first, second = os.dup(commands), os.dup(answers)
        os.dup2(first, 3)
        os.dup2(second, 4)

    assert CHROMIUM
    started = subprocess.Popen(
        [CHROMIUM, *_SWITCHES, f"--user-data-dir={folder / 'profile'}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        pass_fds=(3, 4), preexec_fn=pipes,
    )  # fmt: skip
    os.close(commands)
    os.close(answers)
    try:
        yield Tab(read, write)
    finally:
        os.close(write)
        os.close(read)
        started.kill()
        started.wait()
