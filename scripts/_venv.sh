# Sourced by the other scripts: `venv_ready EXTRAS` makes .venv and keeps it equal to what the repository declares.
# Nothing is installed again until pyproject.toml or constraints.txt change. $PYTHON chooses another interpreter.

say() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; }

_find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    # Run, not only looked up: a version manager leaves names on PATH that answer nothing.
    if "$candidate" -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  say "no Python 3.11, 3.12 or 3.13 with venv was found (on Debian: apt-get install python3-venv); PYTHON=... names one"
  return 1
}

_stamp() { # The folder counts too: a clone that was moved must be installed again.
  { pwd; cat pyproject.toml scripts/constraints.txt; } | cksum
}

venv_ready() {
  local extras=$1 stamp=.venv/installed${1//[^a-z]/-} python
  mkdir -p .cache
  if command -v flock >/dev/null; then exec 9>.cache/venv.lock; flock 9; fi # two first runs at once
  if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    python=$(_find_python) || return
    say "making .venv with $("$python" -V) (a few seconds)"
    "$python" -m venv --clear .venv || return
  fi
  if [ "$(cat "$stamp" 2>/dev/null)" != "$(_stamp)" ]; then
    say "installing the packages$extras (half a minute to five; again only when they change)"
    .venv/bin/python -m pip install -q --disable-pip-version-check -c scripts/constraints.txt -e ".$extras" || return
    _stamp >"$stamp"
  fi
  exec 9>&-
}
