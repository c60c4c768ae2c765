"""`tamis completion`: what it prints for each shell."""

import shutil
import subprocess

import pytest

from tamis import cli


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_completed(shell, capsys):
    """The script knows every command and its options, and the shell, where it is installed, can read it."""
    assert cli.main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert [name for name in cli.COMMANDS if name not in script] == []
    assert "chain" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


def test_an_unknown_shell(capsys):
    """A shell that is not known is a usage error."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(["completion", "csh"])
    assert leaving.value.code == 2
    assert "csh" in capsys.readouterr().err
