"""Commands: what their options, help, version and completion have in common."""

import json
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import click
from click.shell_completion import get_completion_class

from ..text import streams
from .status import Status

_DISTRIBUTION: Final = "copier-onex"
_SHELLS: Final = ("bash", "zsh", "fish")
_JSON: Final = "--json"
_JSON_FILE: Final = "--json-file"


class Command(click.Command):
    """A command with examples in its help.

    Attributes:
        examples: Command lines, each with what it does.
        several: Options that take all words up to the next option.
    """

    def __init__(
        self, *arguments: Any, examples: Sequence[tuple[str, str]], several: Sequence[str] = (), **settings: Any
    ) -> None:
        """Take the settings of click's commands, and the examples."""
        super().__init__(*arguments, **settings)
        self.examples = tuple(examples)
        self.several = frozenset(several)
        self.params += [_version(), _completion()]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return the option that shows the help, whether or not anybody gets to see it."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.callback = _show_help
        return option

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples as they are."""
        del ctx
        with formatter.section("Examples"):
            for line, what in self.examples:
                formatter.write(f"{'':{formatter.current_indent}}# {what}\n{'':{formatter.current_indent}}{line}\n")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of a command line, in the forms that click itself does not know."""
        return super().parse_args(ctx, self._plain(args))

    def _plain(self, words: Sequence[str]) -> list[str]:
        """Give each word of an option for several its option; tell a file after `--json` from what follows it."""
        files = any(_JSON_FILE in param.opts for param in self.params)
        plain: list[str] = []
        option = ""
        for index, word in enumerate(words):
            if word == "--":
                return [*plain, *words[index:]]
            name, given, value = word.partition("=")
            if word.startswith("-") and word != "-":
                option = word
                if files and name == _JSON and given:
                    plain.append(f"{_JSON_FILE}={value}")
                    continue
            elif files and option == _JSON and not Path(word).is_dir():
                plain[-1:] = [_JSON_FILE, word]
                option = ""
                continue
            elif option in self.several:
                if plain[-1] != option:
                    plain.append(option)
            else:
                option = ""
            plain.append(word)
        return plain


def command(
    name: str, summary: str, *examples: tuple[str, str], several: Sequence[str] = ()
) -> Callable[[Callable[..., int]], Command]:
    """Make a command of a function that returns its exit status; the options are decorators below.

    Args:
        name: What it is called.
        summary: What it does, in a sentence or two.
        examples: Command lines, each with what it does.
        several: Options that take all words up to the next option.
    """

    def decorate(function: Callable[..., int]) -> Command:
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        made = click.command(
            name, cls=Command, help=summary, examples=examples, several=several, context_settings=settings
        )
        return made(function)

    return decorate


def json_option[Function: Callable[..., Any]](what: str = "the result") -> Callable[[Function], Function]:
    """Return the option for programs: it hands the function `as_json`."""
    return click.option(_JSON, "as_json", is_flag=True, help=f"Print {what} as one JSON document.")


def json_file_option[Function: Callable[..., Any]](function: Function) -> Function:
    """Add a file for what `--json` prints, which `--json FILE` names: it hands the function `json_file`."""
    option = click.option(
        _JSON_FILE, type=click.Path(path_type=Path), metavar="FILE", help="Write that there; so does --json FILE."
    )
    return option(function)


def output_option[Function: Callable[..., Any]](function: Function) -> Function:
    """Add the file that a command writes instead of standard output: it hands the function `output`."""
    option = click.option(
        "-o", "--output", type=click.Path(), metavar="FILE", help="The file to write; it must not be there."
    )
    return option(function)


def package_option[Function: Callable[..., Any]](otherwise: str) -> Callable[[Function], Function]:
    """Return the option for the node's Python package: it hands the function `package`."""
    return click.option("--package", metavar="NAME", help=f"The node's Python package; {otherwise}.")


def node_option[Function: Callable[..., Any]](what: str, *, multiple: bool = False) -> Callable[[Function], Function]:
    """Return the option for a node of a project: it hands the function `node`."""
    return click.option("--node", metavar="NAME", multiple=multiple, help=what)


def folder_argument[Function: Callable[..., Any]](name: str = "folder") -> Callable[[Function], Function]:
    """Return the argument for a folder, which is the one where the command is run when it is left out."""
    return click.argument(name, type=click.Path(path_type=Path), default=Path())


def run(made: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        made: The command.
        arguments: The command line without the program's name; that of the process when left out.

    Returns:
        The exit status.

    Raises:
        SystemExit: The command line is wrong.
    """
    streams.tolerate()
    words = None if arguments is None else [str(argument) for argument in arguments]
    try:
        return int(made.main(args=words, prog_name=made.name, standalone_mode=False) or Status.DONE)
    except click.UsageError as error:
        error.show()
        raise SystemExit(Status.USAGE) from None
    except streams.UnheardError:
        streams.warn(f"{made.name}: standard output can't be written\n")
        return Status.NOT_DONE
    except click.Abort:
        streams.warn(f"{made.name}: interrupted\n")
        return Status.INTERRUPTED


def say_json(value: Any) -> None:
    """Print a value as JSON."""
    streams.say(json.dumps(value, indent=2, default=str) + "\n")


def _show_help(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        streams.say(f"{ctx.get_help()}\n")
        ctx.exit()


def _version() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value:
            streams.say(f"{ctx.command.name} {metadata.version(_DISTRIBUTION)} ({_DISTRIBUTION})\n")
            ctx.exit()

    what = "Print the version, and end."
    return click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help=what)


def _completion() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value:
            name = str(ctx.command.name)
            shell = get_completion_class(value)
            if shell:
                variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
                streams.say(f"{shell(ctx.command, {}, name, variable).source()}\n")
            ctx.exit()

    return click.Option(
        ["--completion"],
        type=click.Choice(_SHELLS),
        is_eager=True,
        expose_value=False,
        callback=show,
        help="Print what makes a shell complete this command, and end.",
    )
