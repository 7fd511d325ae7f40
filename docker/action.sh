#!/bin/bash
# The grading step of action.yml. Everything comes in as environment variables; nothing is evaluated.
#
# While grader prints, the runner takes no commands from its output: names and texts of a submission may look like one.
# What it may take, the annotations, was escaped for it and is printed afterwards.
set -euo pipefail

grader="${GRADER:-$RUNNER_TEMP/grader/bin/grader}"
results="$RUNNER_TEMP/grader-results"
rm -rf "$results"

arguments=(--base "$BASE" --repo "$REPO" --output "$results" --audience "$AUDIENCE" --lang "$REPORT_LANG")
if [ -n "$SINGLE" ]; then arguments+=(--single "$SINGLE"); else arguments+=(--submissions "$SUBMISSIONS"); fi
[ -z "$TASKS_DIR" ] || arguments+=(--tasks-dir "$TASKS_DIR")
[ -z "$FAIL_UNDER" ] || arguments+=(--fail-under "$FAIL_UNDER")
[ -z "$SEED" ] || arguments+=(--seed "$SEED")
read -r -a tasks <<<"$TASKS"
for task in "${tasks[@]}"; do arguments+=(--task "$task"); done

word="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
echo "::stop-commands::$word"
code=0
"$grader" ci "${arguments[@]}" || code=$?
echo
echo "::$word::"

if [ -f "$results/annotations.txt" ]; then cat "$results/annotations.txt"; fi
if [ -f "$results/summary.md" ]; then
  cat "$results/summary.md" >>"$GITHUB_STEP_SUMMARY"
elif [ "$code" -ne 0 ]; then
  # Nothing was graded: say so where people look first, in our words alone.
  case "$code" in
    2) why="an option is wrong, or the change cannot be graded (exit code 2)" ;;
    3) why="a task is broken; this says nothing about the change (exit code 3)" ;;
    4) why="this machine has no sandbox; this says nothing about the change (exit code 4)" ;;
    130) why="the run was stopped (exit code 130)" ;;
    *) why="grader failed; this says nothing about the change (exit code $code)" ;;
  esac
  echo "::error title=Nothing was graded::$why. The log of this step has the reason."
  echo "**Nothing was graded**: $why. The log of this step has the reason." >>"$GITHUB_STEP_SUMMARY"
fi
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ -d "$results" ]; then echo "results=$results" >>"$GITHUB_OUTPUT"; fi
