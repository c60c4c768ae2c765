"""Builds the documentation into `site`: `make docs`. A link that leads nowhere makes it fail.

The pages link to each other as they lie in the repository, where `README.md` and others are beside `docs`.
Here all of them are put into one folder, and the links between them follow.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "target" / "site"
# Pages beside `docs`, and what they are called in the site, where `README` would be taken for the index.
OUTSIDE = {
    "README.md": "start.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "LICENSE": "licence.md",
}


def main() -> int:
    gather(ROOT, PAGES)
    command = [str(Path(sys.executable).with_name("zensical")), "build", "--clean", "--strict"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    problems, _, traceback = done.stdout.partition("Traceback (most recent call last)")
    print(problems, end="")
    if done.returncode and "--strict" not in traceback:
        print(traceback)
    return min(done.returncode, 1)


def gather(root: Path, folder: Path) -> None:
    """Puts every page of the repository at `root` into a folder, with the files that they show."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "docs", folder)
    for name, page in OUTSIDE.items():
        text = (root / name).read_text(encoding="utf-8")
        if name == "LICENSE":
            text = f"# Licence\n\n```text\n{text.strip()}\n```\n"
        (folder / page).write_text(text, encoding="utf-8")
    for file in folder.glob("*.md"):
        file.write_text(relink(file.read_text(encoding="utf-8")), encoding="utf-8")


def relink(text: str) -> str:
    """The text of a page, with links as they are when all pages lie in one folder."""
    return re.sub(
        r"\]\((?:\.\./|docs/)?(?P<page>[^)#:]+)(?P<anchor>#[^)]*)?\)",
        lambda link: f"]({OUTSIDE.get(link['page'], link['page'])}{link['anchor'] or ''})",
        text,
    )


if __name__ == "__main__":
    sys.exit(main())
