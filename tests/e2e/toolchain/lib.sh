# Shared by install, engine and images. Sourced, never run.
# shellcheck shell=bash

# Everything that is built lands here, outside the checkout: `git clean` and a
# second clone must not cost ten minutes of compiling.
toolchain_root="${PERFCI_CACHE:-$HOME/.cache/perfci}/toolchain"
toolchain_bin="$toolchain_root/bin"
mkdir -p "$toolchain_bin"

# Progress goes to stderr, so that `install --env` and `images --list` can be
# read by `eval` and by pipes.
say() { printf '%s\n' "$*" >&2; }

# fail WHAT NEXT: what happened, and what the reader can do about it.
fail() {
    printf 'error: %s\n  next: %s\n' "$1" "$2" >&2
    exit 1
}

# step NAME COMMAND...: runs the command with its output in a log file and
# prints one line with the seconds it took; a failure shows the log's end.
step() {
    local name=$1 log started=$SECONDS status=0
    shift
    log="$toolchain_root/log/${name//[^a-zA-Z0-9.]/-}.log"
    mkdir -p "$toolchain_root/log"
    # Not `if "$@"`: that would switch `set -e` off inside the function called.
    set +e
    # Without the lock's descriptor: npm and git leave helpers behind that would
    # hold it.
    (set -e; "$@") >"$log" 2>&1 9>&-
    status=$?
    set -e
    if ((status != 0)); then
        tail -n 20 "$log" | sed 's/^/    /' >&2
        fail "$name failed with exit code $status after $((SECONDS - started)) s" \
            "read $log, repair the cause and run the same command again; finished steps are kept"
    fi
    say "$(printf '%-36s %4d s' "$name" $((SECONDS - started)))"
}

# skip NAME WHY: the line for a step that had nothing to do.
skip() { say "$(printf '%-36s    - %s' "$1" "$2")"; }

# take_lock NAME: one run at a time, as two that fill the same cache folder
# would disturb each other. The lock goes with the process; children that
# outlive it (the engine) must be started with `9>&-`.
take_lock() {
    exec 9>"$toolchain_root/$1.lock"
    flock -w 1200 9 ||
        fail "another run has held $toolchain_root/$1.lock for 20 minutes" \
            "wait for it or end it, then run this again"
    # What a broken run left goes now. Never into another file system: a broken
    # debootstrap may leave /proc mounted in there.
    scratch="$toolchain_root/work/$1"
    rm -rf --one-file-system "$scratch"
}

# A program of the machine's own, looked up without our folder: once PATH holds
# our folder, our old build must not count as "already installed".
own_program() {
    local dir
    while IFS= read -r -d : dir; do
        [[ -n $dir && $dir != "$toolchain_bin" ]] || continue
        if [[ -x $dir/$1 && ! -d $dir/$1 ]]; then
            printf '%s\n' "$dir/$1"
            return 0
        fi
    done <<<"$PATH:"
    return 1
}

engine_answers() { timeout 20 docker info >/dev/null 2>&1; }

need_root_and_apt() {
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        fail "$1 is missing and can only be installed here as root on a Debian-like system" \
            "install and start Docker yourself (with the compose plug-in), then run this again"
    fi
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -q -y --no-install-recommends "$@"
}

# The rest of this folder's scripts call docker as callers will see it.
PATH="$toolchain_bin:$PATH"
