#!/bin/sh
# Checks that doxygen makes the API reference without a warning: reference.sh REPOSITORY OUTPUT_DIRECTORY
cd "$1" || exit 2
mkdir -p "$2" || exit 2
{ cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $2"; } | doxygen -
