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
if [ -f "$results/summary.md" ]; then cat "$results/summary.md" >>"$GITHUB_STEP_SUMMARY"; fi
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ -d "$results" ]; then echo "results=$results" >>"$GITHUB_OUTPUT"; fi
