#!/bin/sh
# The gate as CI runs it, and as you run it before you push: ci/gate.sh [options of bakeoff gate]
#
#   BASE     revision to compare with; by default origin/main
#   INSTALL  what pip installs first, such as '.[bench]'; by default '.'; empty for nothing
#
# Writes gate.xml (JUnit) and gate.html (all pairs, plotted), and ends with the exit code of the gate:
# 0 pass, 1 regressed, 4 failed or not measured (also when the packages of the base cannot be installed),
# 6 inconclusive; 3 when pip cannot install INSTALL.
set -eu

if [ -n "${INSTALL-.}" ]; then
    python -m pip install --quiet --disable-pip-version-check "${INSTALL-.}" || {
        echo "gate.sh: pip could not install ${INSTALL-.}" >&2
        exit 3 # pip's exit code 1 would read as regressed
    }
fi

exec bakeoff gate --base "${BASE:-origin/main}" --junit gate.xml --page gate.html "$@"
