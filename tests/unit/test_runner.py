"""The runner of the tests does what GitHub's does with a step of a composite action."""

from pathlib import Path

from tests.fakes.runner import Runner, Step

ACTION = """
inputs:
  word: { description: A word., default: "plain" }
runs:
  using: composite
  steps:
    - name: say
      shell: bash
      env:
        WORD: ${{ inputs.word }}
        PLACE: in ${{ steps.setup.outputs.place }}
        NOTHING: ${{ steps.nobody.outputs.nothing }}
        SET_BEFORE: ""
      run: |
        echo "$WORD|$PLACE|$NOTHING|$SET_BEFORE|$KEPT"
        echo "one=1" >>"$GITHUB_OUTPUT"
        printf 'two<<END\\na\\nb=c\\nEND\\n' >>"$GITHUB_OUTPUT"
        false | true
        echo never
"""


def _runner(tmp_path: Path) -> Runner:
    for name in ("workspace", "temp"):
        (tmp_path / name).mkdir()
    (tmp_path / "action.yml").write_text(ACTION)
    earlier = {"SET_BEFORE": "by an earlier step", "KEPT": "kept"}
    return Runner(action=tmp_path, workspace=tmp_path / "workspace", temp=tmp_path / "temp", environ=earlier)


def _say(runner: Runner, **inputs: str) -> Step:
    return runner.step("say", inputs=inputs, setup={"place": "the middle"})


def test_a_step_gets_its_environment_over_the_jobs(tmp_path: Path) -> None:
    """Expressions are filled in, what they name and nobody has is empty, and a failing pipe ends the step."""
    step = _say(_runner(tmp_path))
    assert step.log == "plain|in the middle|||kept\n"
    assert step.code == 1
    assert step.outputs == {"one": "1", "two": "a\nb=c"}


def test_an_input_is_text(tmp_path: Path) -> None:
    """Also where it looks like an expression or like a command."""
    assert _say(_runner(tmp_path), word="$(id) ${{ inputs.word }}").log.startswith("$(id) ${{ inputs.word }}|")
