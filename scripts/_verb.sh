# Sourced by the verbs of operators: `run_verb FROM VERB ARGUMENTS` runs one, for somebody who stands in FROM.

run_verb() { # with what is installed, so that a look at a server changes nothing under it
  local python=$PWD/.venv/bin/python
  if ! "$python" -c 'import scoreboard' 2>/dev/null; then
    . scripts/_venv.sh
    venv_ready "" || exit
  fi
  cd "$1" || exit
  exec "$python" -P -m scoreboard "${@:2}" # -P: the installed package, whatever lies where one stands
}
