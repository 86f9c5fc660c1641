#!/bin/sh
# A fresh .venv with the libraries of constraints.txt and our packages, editable.
set -eu
cd "$(dirname "$0")/.."
python3 -m venv --clear --without-pip --system-site-packages .venv
.venv/bin/python -m pip install --quiet --no-build-isolation -c constraints.txt \
    -e packages/notify -e packages/gateway -e packages/billing
