"""The command ``scythe-aws``: what can be typed. What a command does is in the module of its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ops.errors import CommandError

if TYPE_CHECKING:
    from ops.images.image_context import ImageOptions

app = typer.Typer(
    name="scythe-aws",
    help="Scythe experiments on an autoscaling fleet of Fargate Spot workers.",
    epilog="ENV is a name in environments/ or the path of a YAML file. "
    "Exit status: 0 done; 1 it ran and the answer is no; 2 bad input or a missing prerequisite.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ENVIRONMENT = Annotated[str, typer.Argument(metavar="ENV", show_default=False)]
ENVIRONMENTS = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ENV]...", help="Default: all in environments/.", show_default=False),
]
JSON = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]

image = typer.Typer(help="The container images that tasks run.", no_args_is_help=True)
app.add_typer(image, name="image")

# Imports stand in the commands: each loads what it needs alone, and --help nothing.


@app.command()
def validate(
    env: ENVIRONMENTS = None,
    aws: Annotated[
        bool,
        typer.Option(
            "--aws", help="Compare the account's quotas with what fleets at their max and engines need."
        ),
    ] = False,
    as_json: JSON = False,
) -> None:
    """Check environment files: faults end with status 2, warnings do not."""
    from ops.commands.validate import validate

    raise typer.Exit(validate(env or [], aws=aws, as_json=as_json))


@app.command()
def synth(
    env: ENVIRONMENTS = None,
    out: Annotated[Path, typer.Option(help="The output folder.", metavar="DIR")] = Path("cdktf.out"),
    as_json: JSON = False,
) -> None:
    """Write the stacks that Terraform plans and applies."""
    from ops.commands.synth import synth

    synth(env or [], out, as_json=as_json)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def token(
    context: typer.Context,
    env: ENVIRONMENT,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Self-hosted: have the engine's set-up make a new one.")
    ] = False,
) -> None:
    """Store Hatchet's client token, read from standard input, and start the fleets that waited for it."""
    from ops.commands.token import token

    token(env, context.args, make_anew=rotate)


@app.command()
def connect(
    env: ENVIRONMENT,
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- COMMAND...]", help="Default: $SHELL.", show_default=False),
    ] = None,
) -> None:
    """Run a command, or a shell, that has the environment's bucket and Hatchet token."""
    from ops.commands.connect import connect

    connect(env, command or [])


@app.command()
def forward(env: ENVIRONMENT) -> None:
    """Forward localhost's ports to a self-hosted engine without a domain, and to its dashboard."""
    from ops.commands.forward import forward

    raise typer.Exit(forward(env))


@app.command()
def status(
    env: ENVIRONMENT,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Look again every 5 seconds, until Ctrl-C.")
    ] = False,
    as_json: JSON = False,
) -> None:
    """Say what waits and runs, how many tasks there are, how long it takes, and what it costs."""
    from ops.commands.status import status

    status(env, watch=watch, as_json=as_json)


@app.command()
def stop(
    env: ENVIRONMENT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")] = False,
) -> None:
    """Cancel all runs of Scythe's that wait or run, and have the fleets at their minimum."""
    from ops.commands.stop import stop

    stop(env, yes=yes)


@app.command()
def logs(
    env: ENVIRONMENT,
    fleet: Annotated[str, typer.Argument(metavar="FLEET", show_default=False)],
    since: Annotated[str, typer.Option(help="How far back: 90s, 30m, 2h, 1d.", metavar="TIME")] = "1h",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what the workers of a fleet write."""
    from ops.commands.logs import logs

    logs(env, fleet, since=since, follow=follow)


@app.command()
def download(
    env: ENVIRONMENT,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN", help="NAME[/VERSION[/TIME]]; the newest, as it stands.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Default: named after the run.", metavar="DIR", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Inputs too, and what was passed on between tasks.")
    ] = False,
) -> None:
    """Download the results of a run; what is here already is not downloaded again."""
    from ops.commands.download import download

    download(env, run, out, everything=everything)


EXPERIMENTS = Annotated[
    Path,
    typer.Option(
        "--experiments", help="The repository with the experiments.", metavar="DIR", show_default=False
    ),
]
MODULE = Annotated[str, typer.Option(help="Its package or module that registers them.", metavar="NAME")]
BASE = Annotated[
    str | None,
    typer.Option(help="A Debian image with Python 3.12, by its digest.", metavar="IMAGE", show_default=False),
]
APT = Annotated[
    list[str] | None,
    typer.Option(help="A Debian package that they need; repeatable.", metavar="PACKAGE", show_default=False),
]
EXTRA = Annotated[
    list[str] | None,
    typer.Option(help="An extra of its pyproject.toml; repeatable.", metavar="NAME", show_default=False),
]


def _options(base: str | None, apt: list[str] | None, extra: list[str] | None) -> ImageOptions:
    from ops.images.image_context import ImageOptions

    return ImageOptions(base, tuple(apt or ()), tuple(extra or ()))


@image.command("build")
def image_build(
    env: ENVIRONMENT,
    experiments: EXPERIMENTS,
    module: MODULE = "experiments",
    base: BASE = None,
    apt: APT = None,
    extra: EXTRA = None,
    as_json: JSON = False,
) -> None:
    """Build the worker image for the architectures of the environment's fleets."""
    from ops.commands.image import build

    build(env, experiments, module, _options(base, apt, extra), as_json=as_json)


@image.command("push")
def image_push(
    env: ENVIRONMENT,
    experiments: EXPERIMENTS,
    module: MODULE = "experiments",
    base: BASE = None,
    apt: APT = None,
    extra: EXTRA = None,
    as_json: JSON = False,
) -> None:
    """Have the worker image in the environment's ECR, and its digest beside the environment's file."""
    from ops.commands.image import push

    push(env, experiments, module, _options(base, apt, extra), as_json=as_json)


@image.command("mirror")
def image_mirror(env: ENVIRONMENT, as_json: JSON = False) -> None:
    """Copy the images of Hatchet's engine to the environment's ECR, where its tasks read them."""
    from ops.commands.mirror import mirror

    mirror(env, as_json=as_json)


@image.command("digests")
def image_digests(env: ENVIRONMENT) -> None:
    """Print the digests that the tags of Hatchet's images have now, to pin them in the environment's file."""
    from ops.commands.digests import digests

    digests(env)


@app.command()
def schema(
    out: Annotated[
        Path | None,
        typer.Option(help="Default: environments/schema.json.", metavar="FILE", show_default=False),
    ] = None,
) -> None:
    """Write the JSON Schema of environment files, which editors complete and check with."""
    from ops.commands.schema import write_schema

    print(write_schema(out))


@app.command()
def settings(
    out: Annotated[Path, typer.Option(help="The Markdown file.", metavar="FILE")] = Path("docs/settings.md"),
) -> None:
    """Write the table of all settings."""
    from ops.commands.schema import write_settings

    print(write_settings(out))


@app.command()
def export(
    out: Annotated[
        Path | None,
        typer.Option(
            help="The output folder. Default: dist/terraform-aws-scythe, or dist/ENV.",
            metavar="DIR",
            show_default=False,
        ),
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            metavar="ENV",
            help="Write this environment's stacks, as HCL that calls the modules, and its moves.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="With --environment: where the modules are, as app.terraform.io/acme/scythe/aws. Default: beside them.",
        ),
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(metavar="X.Y.Z", help="The version to be released, or with --source the one to call."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Write nothing; print a diff and end with 1 where it is not up to date."
        ),
    ] = False,
) -> None:
    """Write the constructs as a repository of Terraform modules in HCL."""
    from ops.commands.export import export

    raise typer.Exit(export(out, environment=environment, source=source, version=version, check=check))


@app.command()
def demo(
    env: Annotated[str, typer.Argument(metavar="[ENV]")] = "docs",
    destroy: Annotated[
        bool, typer.Option("--destroy", help="Destroy it again; show that nothing is left.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the local AWS running.")] = False,
) -> None:
    """Deploy an environment to a local AWS, and plan a second time: without changes."""
    from ops.commands.demo import demo

    raise typer.Exit(demo(env, destroy=destroy, keep=keep))


def main() -> None:
    """Run the command that was typed; errors of its user's or of AWS's are a line each, never a traceback."""
    try:
        app(prog_name="scythe-aws")
    except Exception as error:
        known = explain(error)
        if known is None:
            raise
        from synthesis.rules import printable_lines

        # It may quote what an engine, a bucket or a program said.
        print(printable_lines(str(known)), file=sys.stderr)
        sys.exit(known.status)


_OURS = {
    "environments.errors": "EnvironmentFileError",
    "synthesis.output": "SynthesisError",
    "ops.export": "ExportError",
    "ops.terraform": "TerraformError",
    "local_aws.local_aws": "LocalAwsError",
}
"""Errors whose text is for that person as it is, by the module that has them."""


def explain(error: Exception) -> CommandError | None:
    """An error in words for that person; None for a fault of this program.

    Only modules that are loaded already are asked, so that nothing is imported for it.
    """
    if isinstance(error, CommandError):
        return error
    for module, name in _OURS.items():
        if module in sys.modules and isinstance(error, getattr(sys.modules[module], name)):
            return CommandError(str(error))
    if "botocore.exceptions" in sys.modules:
        from ops.deployed.aws import explain_refusal  # only where boto3 is loaded already

        if words := explain_refusal(error):
            return CommandError(words)
    if isinstance(error, OSError) and error.filename is not None:
        return CommandError(f"{error.filename}: {error.strerror}")
    return None
