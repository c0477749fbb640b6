"""A Chromium without a window, from the npm package that `make test` installs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp

from playwright.sync_api import Browser, Playwright

from tests.statemachine.node import NODE_FOLDER, node
from tests.statemachine.node import missing as missing_in_node

PACKAGE = NODE_FOLDER / "node_modules" / "@sparticuz" / "chromium"
AXE = NODE_FOLDER / "node_modules" / "axe-core" / "axe.min.js"

# The package has the program and its libraries compressed, for Lambda; Node, which has the codec, unpacks them.
_UNPACK = """
const zlib = require("zlib"), fs = require("fs"), [from, to] = process.argv.slice(1);
for (const name of ["chromium", "al2023.tar", "swiftshader.tar"])
  fs.writeFileSync(`${to}/${name}`, zlib.brotliDecompressSync(fs.readFileSync(`${from}/${name}.br`)));
fs.chmodSync(`${to}/chromium`, 0o755);
"""


def missing() -> str:
    """Why there is no browser on this machine; empty if there is one."""
    if missing_in_node():
        return missing_in_node()
    if not PACKAGE.is_dir():
        return "there is no Chromium in .node: `make test` installs it"
    return ""


def unpacked() -> Path:
    """The folder of the unpacked browser. Unpacked once, and in one step: two test runs may want it at once."""
    version = json.loads((PACKAGE / "package.json").read_text(encoding="utf-8"))["version"]
    folder = NODE_FOLDER / f"chromium-{version}"
    if not folder.is_dir():
        making = Path(mkdtemp(prefix=f"chromium-{version}-", dir=NODE_FOLDER))
        subprocess.run([node(), "-e", _UNPACK, str(PACKAGE / "bin"), str(making)], check=True)
        for archive in ("al2023.tar", "swiftshader.tar"):
            shutil.unpack_archive(making / archive, making, filter="data")
            (making / archive).unlink()
        _put(making, folder)
    return folder


def _put(making: Path, folder: Path) -> None:
    """Give what was made its name; another process may have done so meanwhile, and its own is as good."""
    try:
        making.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(making)


def launched(playwright: Playwright) -> Browser:
    """The unpacked browser, running."""
    folder = unpacked()
    return playwright.chromium.launch(
        executable_path=folder / "chromium",
        args=["--no-sandbox"],  # it opens our own pages, and root may not have the sandbox
        env={"LD_LIBRARY_PATH": str(folder / "lib"), "HOME": str(folder)},
    )
